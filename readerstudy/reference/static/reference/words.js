// The sentences of the truthers' page in the language of the page. English is the key; zh.js holds the Chinese.

const chinese = document.documentElement.lang.startsWith("zh");
const words = chinese ? (await import("./zh.js")).default : {};

export function say(sentence, values = {}) {
  return (words[sentence] ?? sentence).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
