// Simplified Chinese for say.js, in the order in which a reader meets the sentences.

export default {
  "Submit the case": "提交病例",
};
