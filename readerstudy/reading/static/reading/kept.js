// What must outlive a reload or a lost connection, by slot, in this tab only: answers not yet saved, a submission not
// yet acknowledged, the log of activity. It holds nothing but what the reader did, and goes when the server has it.

const PREFIX = "reading:";

export function readKept(slot) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + slot)) ?? {};
  } catch {
    return {};
  }
}

export function keep(slot, changes) {
  const kept = { ...readKept(slot), ...changes };
  try {
    sessionStorage.setItem(PREFIX + slot, JSON.stringify(kept));
  } catch {
    // A full or forbidden store must not stop the reading; the server's draft remains.
  }
}

export function forget(slot) {
  sessionStorage.removeItem(PREFIX + slot);
}

// Slots other than this one whose submission was never acknowledged.
export function unsentSlots(current) {
  return Object.keys(sessionStorage)
    .filter((key) => key.startsWith(PREFIX) && key !== PREFIX + current)
    .map((key) => key.slice(PREFIX.length))
    .filter((slot) => readKept(slot).pending);
}
