// Texts of the map in the visitor's language. The English text in the scripts is the key; `learn` takes translations,
// and a text without one stays in English.
window.slidelensWords = window.slidelensWords || (function () {
  "use strict";

  const known = new Map();

  // What is filled in for {names} comes afterwards, so that it may stand anywhere in a sentence.
  function word(text, parts) {
    const said = known.has(text) ? known.get(text) : text;
    if (!parts) return said;
    return said.replace(/\{(\w+)\}/g, function (whole, name) { return name in parts ? parts[name] : whole; });
  }

  function learn(translations) {
    Object.entries(translations).forEach(function (one) { known.set(one[0], one[1]); });
  }

  // All texts of a tree of them, in place: those of the drawing tools are kept so.
  function translate(tree) {
    Object.keys(tree).forEach(function (name) {
      if (typeof tree[name] === "string") tree[name] = word(tree[name]); else translate(tree[name]);
    });
  }

  return { word: word, learn: learn, translate: translate };
})();
