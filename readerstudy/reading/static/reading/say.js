// Every sentence of the browser in the language of the page. English is the key; zh.js holds the Chinese.

const chinese = typeof document !== "undefined" && document.documentElement.lang.startsWith("zh");
const words = chinese ? (await import("./zh.js")).default : {};

// say("Case {place} of {total}", { place: 3, total: 9 })
export function say(sentence, values = {}) {
  return (words[sentence] ?? sentence).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
