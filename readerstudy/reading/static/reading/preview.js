// The same viewer outside a reading: every element of class "viewer" with the address of a case's images.

import { commandOf, helpLists } from "./keys.js";
import { Layout } from "./layout.js";
import { PixelStore } from "./pixels.js";
import { say } from "./say.js";

export async function mount(element) {
  const { caseUrl, decodeWorker } = element.dataset;
  const layout = new Layout(element, new PixelStore(decodeWorker));
  const help = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = say("Keys and mouse");
  help.append(summary, ...helpLists(["Image", "Stack", "Views", "Measure", "Mouse"]));
  element.after(help);
  layout.grid.addEventListener("keydown", (event) => {
    const command = commandOf(event);
    if (command && layout.run(command.action, command.number)) event.preventDefault();
  });
  const response = await fetch(caseUrl, { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) {
    const sentence = document.createElement("p");
    sentence.role = "alert";
    sentence.textContent = say("The images could not be loaded. Please reload the page.");
    element.append(sentence);
    return null;
  }
  const { series, hanging } = await response.json();
  layout.show(series, hanging);
  return layout;
}

for (const element of document.querySelectorAll(".viewer[data-case-url]")) mount(element);
