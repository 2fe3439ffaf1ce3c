// The list of keys on a page of instructions, from the same map that the viewer obeys.

import { helpLists } from "./keys.js";

for (const element of document.querySelectorAll(".key-lists[data-groups]")) {
  element.append(...helpLists(element.dataset.groups.split(",")));
}
