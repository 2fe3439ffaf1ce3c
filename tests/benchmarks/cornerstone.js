// Cornerstone3D on the frames of the benchmark, drawn by the processor as where there is no graphics card: how long a
// decoded radiograph takes to be on the screen, and how far apart drawings are while its window changes.

import { Enums, RenderingEngine, imageLoader, init, metaData, setUseCPURendering } from "@cornerstonejs/core";
import { undoDifferences } from "./decode.js";

const [ROWS, COLUMNS] = [3000, 2500];
const SPACING = 0.143;
const FACTS = {
  imagePixelModule: {
    pixelRepresentation: 0,
    bitsAllocated: 16,
    bitsStored: 16,
    highBit: 15,
    samplesPerPixel: 1,
    photometricInterpretation: "MONOCHROME2",
    rows: ROWS,
    columns: COLUMNS,
  },
  imagePlaneModule: {
    rows: ROWS,
    columns: COLUMNS,
    rowPixelSpacing: SPACING,
    columnPixelSpacing: SPACING,
    pixelSpacing: [SPACING, SPACING],
    imagePositionPatient: [0, 0, 0],
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
    frameOfReferenceUID: "1.2.3",
  },
  generalSeriesModule: { modality: "DX", seriesInstanceUID: "1.2.3.4" },
  voiLutModule: { windowCenter: [1800], windowWidth: [2400] },
  modalityLutModule: { rescaleSlope: 1, rescaleIntercept: 0 },
};

async function load(imageId) {
  const response = await fetch(imageId.replace("frame:", ""));
  const plain = response.body.pipeThrough(new DecompressionStream("gzip"));
  const pixels = undoDifferences(new Uint8Array(await new Response(plain).arrayBuffer()), ROWS, COLUMNS);
  return {
    imageId,
    rows: ROWS,
    columns: COLUMNS,
    height: ROWS,
    width: COLUMNS,
    minPixelValue: 0,
    maxPixelValue: 4095,
    slope: 1,
    intercept: 0,
    windowCenter: 1800,
    windowWidth: 2400,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    rowPixelSpacing: SPACING,
    columnPixelSpacing: SPACING,
    invert: false,
    sizeInBytes: pixels.byteLength,
    dataType: "Uint16Array",
    getPixelData: () => pixels,
    voxelManager: { getScalarData: () => pixels, getRange: () => [0, 4095] },
  };
}

const drawn = (element) =>
  new Promise((resolve) => element.addEventListener(Enums.Events.IMAGE_RENDERED, () => setTimeout(resolve), { once: true }));

window.start = async (addresses) => {
  await init();
  setUseCPURendering(true);
  metaData.addProvider((kind) => FACTS[kind], 1);
  imageLoader.registerImageLoader("frame", (imageId) => ({ promise: load(imageId) }));
  const element = document.getElementById("view");
  const engine = new RenderingEngine("bench");
  engine.enableElement({ viewportId: "film", type: Enums.ViewportType.STACK, element });
  window.view = engine.getViewport("film");
  window.imageIds = addresses.map((address) => `frame:${address}`);
  await Promise.all(imageIds.map((imageId) => imageLoader.loadAndCacheImage(imageId)));
  const first = drawn(element);
  await view.setStack(imageIds, 0);
  view.render();
  await first;
};

window.open = async (index) => {
  const began = performance.now();
  const done = drawn(view.element);
  await view.setImageIdIndex(index);
  view.render();
  await done;
  return performance.now() - began;
};

window.levels = async (milliseconds) => {
  const times = [];
  const end = performance.now() + milliseconds;
  for (let n = 0; performance.now() < end; n++) {
    const done = drawn(view.element);
    view.setProperties({ voiRange: { lower: 600 + (n % 50) * 10, upper: 3000 } });
    view.render();
    await done;
    times.push(performance.now());
  }
  return times.slice(1).map((time, n) => time - times[n]);
};
