// The hanging rule of a study: which series of a case hangs where, in which plane and first window. It comes with the case:
//
//   { "rows": 1, "columns": 2, "cells": [{ "series": "T1W", "plane": "sagittal", "window": "bone" }, …] }
//
// Cells fill the grid row by row. A cell takes the first series whose label begins like its own and that hangs nowhere yet,
// one of its plane before others; another plane than the series' own is made from the stack where that is even. The window
// is one of the series' presets by name, or centre and width as 50/400; plane and window may be empty. A cell without a series is left out. Without a rule,
// or where no cell finds its series, up to four series hang in their order.

import { hasPlanes } from "./planes.js";

const MOST_VIEWS = 4;

const begins = (text, start) => text.toLowerCase().startsWith(start.toLowerCase());

function seriesFor({ series: name, plane = "" }, series, hung) {
  const named = series.filter((one) => begins(one.label ?? "", name));
  const ofPlane = named.filter((one) => !plane || one.plane === plane);
  const free = (one) => !hung.has(one);
  return ofPlane.find(free) ?? named.find((one) => plane && hasPlanes(one)) ?? ofPlane[0];
}

function windowOf(text, { presets }) {
  const [center, width] = text.split("/").map(Number);
  return width > 0 ? { center, width, shape: "linear" } : presets.find(({ label }) => begins(label, text));
}

// What hangs in each viewport: { series, plane, window }; plane where it is another than the series' own.
export function hang(series, rule) {
  const hung = new Set();
  const views = [];
  for (const cell of rule?.cells ?? []) {
    const found = seriesFor(cell, series, hung);
    if (!found) continue;
    hung.add(found);
    const window = cell.window ? windowOf(cell.window, found) : undefined;
    views.push({ series: found, plane: cell.plane && cell.plane !== found.plane ? cell.plane : "", window });
  }
  return views.length ? views : series.slice(0, MOST_VIEWS).map((one) => ({ series: one, plane: "" }));
}

export const columnsOf = (count, rule) => Math.min(count, rule?.columns ?? 2);
