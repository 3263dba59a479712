// Texts to tokens and ids, by the rules of tokenizer.json.
const UNKNOWN_ID = 1;

function openText(rules, vocabulary) {
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const steps = rules.steps.map((step) => stepOf(step, ids));
  return (text) => {
    const all = steps.reduce((value, step) => step(value), text);
    const head = all.slice(0, rules.head);
    const rest = all.slice(Math.max(rules.head, all.length - rules.tail));
    const tokens = all.length ? [...head, ...rest] : [rules.empty];
    return {
      tokens,
      ids: tokens.map((token) => ids.get(token) ?? UNKNOWN_ID),
      count: all.length,
      head: all.length > tokens.length ? head.length : null,  // where the gap is
    };
  };
}

function stepOf(step, ids) {
  if ("replace" in step) {
    const pattern = new RegExp(step.portable, "gu");
    const to = step.with.replaceAll("\\1", "$1");
    return (text) => text.replace(pattern, to);
  }
  if ("translate" in step) {
    const to = [...step.translate.to];
    const table = new Map([...step.translate.from].map((c, i) => [c, to[i]]));
    return (text) => [...text].map((c) => table.get(c) ?? c).join("");
  }
  if ("split" in step) return (text) => text.split(step.split).filter((word) => word);
  return (words) => words.flatMap((word) => pieces([...word], step.pieces, ids));
}

function pieces(word, longest, ids) {
  const found = [];
  while (word.length) {
    let end = Math.min(word.length, longest);
    while (end > 1 && !ids.has(word.slice(0, end).join(""))) end -= 1;
    found.push(word.splice(0, end).join(""));
  }
  return found;
}
