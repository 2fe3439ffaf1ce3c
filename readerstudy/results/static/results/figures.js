// Draws each figure of the page from its JSON; plotly.min.js stands beside us as a static file.

const chinese = document.documentElement.lang.startsWith("zh");
if (chinese) window.Plotly.register((await import("./zh.js")).default);

const CONFIG = {
  responsive: true,
  displaylogo: false,
  // Nothing of a study is sent to the makers of plotly.
  modeBarButtonsToRemove: ["lasso2d", "select2d", "sendChartToCloud"],
  locale: chinese ? "zh-CN" : "en",
};

async function draw(place) {
  const answer = await fetch(place.dataset.figure, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    place.textContent = place.dataset.missing;
    return;
  }
  const figure = await answer.json();
  const size = { ...figure.layout, autosize: true, font: { family: "system-ui, sans-serif", size: 13 } };
  await window.Plotly.newPlot(place, figure.data, size, {
    ...CONFIG,
    toImageButtonOptions: { format: "svg", filename: place.dataset.name },
  });
  place.dataset.drawn = "yes";
}

function save(button) {
  const place = document.getElementById(button.dataset.of);
  window.Plotly.downloadImage(place, {
    format: button.dataset.format,
    filename: place.dataset.name,
    width: 900,
    height: 700,
  });
}

for (const place of document.querySelectorAll("[data-figure]")) draw(place);
for (const button of document.querySelectorAll("button[data-format]")) {
  button.addEventListener("click", () => save(button));
}
