// What a model said of a case, laid over its images for the coordinator: the panel and the keys of the aided reader.

import { Assistance } from "../reading/assistance.js";
import { commandOf, helpLists } from "../reading/keys.js";
import { mount } from "../reading/preview.js";

const LAYERS = ["heatmap", "probability", "mask", "boxes", "levels"];

async function outputAt(url) {
  const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
  return response?.ok && !response.redirected ? response.json() : null;
}

export async function lay(desk) {
  const viewer = desk.querySelector(".viewer");
  // Named only now, so that the viewer's own module does not mount it a second time.
  viewer.dataset.caseUrl = viewer.dataset.imagesUrl;
  desk.hidden = false;
  const [layout, offered] = await Promise.all([mount(viewer), outputAt(desk.dataset.outputUrl)]);
  if (!layout || !offered) return;
  const assistance = new Assistance(desk.querySelector("#assistance"), () => {}, layout);
  assistance.open(offered);
  viewer.nextElementSibling.append(...helpLists(["Model"]));
  desk.addEventListener("keydown", (event) => {
    const action = commandOf(event)?.action;
    const done = action === "output" ? assistance.goOn() : LAYERS.includes(action) && assistance.toggle(action);
    if (done) event.preventDefault();
  });
}

const desk = document.getElementById("laid-over");
if (desk) lay(desk);
