// One twin: its answer, what moved it, how long it remembers, its gates and states.
const MOST_ROWS = 64;  // units that are drawn of a map
const MAP_HEIGHT = 64;  // in pixels, about
const LEAST_EFFECT = 0.05;  // of a probability, for the strongest colour
const FOR = [0, 114, 178], AGAINST = [213, 94, 0];
const NAMES = { cell: "memory cell", hidden: "hidden state", candidate: "candidate" };
const ARROWS = { forward: "forward →", backward: "← backward" };

function nameOf(twin, value) {
  return twin.gates.includes(value) ? `${value} gate` : NAMES[value] ?? value;
}

// What is drawn of a reading: by direction, the values of each token.
function mapsOf(twin, reading, layer) {
  if (!twin.layers) {
    const name = twin.conv_width ? "convolution" : "token vectors";
    const columns = reading.inputs;
    const units = spread([...columns[0].keys()]);
    return [{ direction: null, units, of: columns[0].length,
      maps: [{ name, isGate: false, columns }] }];
  }
  const { directions } = reading.layers[Math.min(layer, twin.layers - 1)];
  return directions.map((steps, d) => {
    const units = inOrder(twin, steps, twin.directions[d] === "backward");
    const maps = twin.values.map((value) => ({
      name: nameOf(twin, value), isGate: twin.gates.includes(value),
      columns: steps.map((step) => step[value]) }));
    return { direction: twin.directions[d], steps, units: spread(units),
      of: units.length, maps };
  });
}

// Units from the shortest memory to the longest: by what their gate keeps or, without
// one, by how little their state moves.
function inOrder(twin, steps, isBackward) {
  const order = isBackward ? [...steps].reverse() : steps;
  const kept = twin.keeps ? keptOf(steps, twin.keeps) : order[0].hidden.map((_, u) =>
    order.reduce((sum, { hidden }, t) =>
      sum - Math.abs(hidden[u] - (t ? order[t - 1].hidden[u] : 0)), 0));
  return [...kept.keys()].sort((a, b) => kept[a] - kept[b]);
}

function spread(units) {
  if (units.length <= MOST_ROWS) return units;
  return Array.from({ length: MOST_ROWS }, (_, i) =>
    units[Math.round(i * (units.length - 1) / (MOST_ROWS - 1))]);
}

// Plain loops, for these go over all that is drawn at each key.
function meanOf(values) {
  let sum = 0;
  for (let u = 0; u < values.length; u += 1) sum += values[u];
  return sum / values.length;
}

function greatestSize(values) {
  let most = 0;
  for (let u = 0; u < values.length; u += 1) most = Math.max(most, Math.abs(values[u]));
  return most;
}

function panelOf(twin) {
  const parts = ["head", "words", "memory", "maps"].map((name) =>
    make("div", { class: name === "words" ? "words" : "part" }));
  const [head, words, memory, maps] = parts;
  const one = make("article", { class: "panel twin", "aria-label": twin.title }, ...parts);
  one.style.setProperty("--cell", twin.colour);
  words.tabIndex = 0;
  words.setAttribute("role", "group");
  words.setAttribute("aria-label", "The tokens, by what each does to the answer");
  return { element: one, head, words, memory, maps, moves: [], spans: [], shown: [], width: 0 };
}

function showHead(panel, twin, reading, labels) {
  const best = greatest(reading.probabilities);
  panel.head.replaceChildren(
    make("h3", {}, twin.title),
    make("p", {}, "Answers ", make("strong", {}, labels[best]),
      `, ${percent(reading.probabilities[best])}`));
}

// The tokens, each with its effect as the colour behind it. Equal ones at the beginning
// stay as they are in the page, which would take longest to lay out anew.
function showWords(panel, read, found) {
  const words = read.tokens.map((token, t) =>
    `${t === read.head ? "… " : ""}${read.ids[t] === UNKNOWN_ID ? "?" : "!"}${token}`);
  const kept = equalHead(panel.shown, words);
  for (const one of panel.spans.splice(kept)) one.remove();
  for (let t = kept; t < words.length; t += 1) panel.spans.push(wordOf(read, t));
  panel.words.append(...panel.spans.slice(kept));
  panel.shown = words;
  const most = found ? Math.max(greatestSize(found.effects), LEAST_EFFECT) : 1;
  panel.spans.forEach((one, t) => colourWord(one, found ? found.effects[t] : 0, most));
}

function wordOf(read, t) {
  const word = make("span", read.ids[t] === UNKNOWN_ID ? { class: "unknown" } : {},
    read.tokens[t]);
  return make("b", {}, t === read.head ? "… " : "", word, " ");
}

function colourWord(one, effect, most) {
  const word = one.firstElementChild;
  if (!effect && !word.title) return;
  const share = (0.6 * Math.abs(effect) / most).toFixed(3);
  word.style.background = effect ? `rgba(${effect < 0 ? AGAINST : FOR}, ${share})` : "";
  word.title = effect ? `${signed(100 * effect, 1)} points` : "";
}

function moveTo(panel, at) {
  for (const move of panel.moves) move(at);
  panel.words.querySelector(".here")?.classList.remove("here");
  panel.spans[at].firstElementChild.classList.add("here");
}

function told(tokens) {
  if (tokens >= LONGEST_HALF_LIFE) return "1,000,000 or more";
  return tokens < 100 ? tokens.toFixed(1) : Math.round(tokens).toLocaleString("en");
}

function showMemory(panel, twin, tooLong) {
  const { found, groups } = panel;
  const lines = found ? [movedSaid(found, panel.tokens)] : [];
  if (!twin.layers) lines.push("Nothing is carried from token to token.");
  for (const { direction, steps } of twin.keeps ? groups : []) {
    const lives = halfLives(steps, twin.keeps);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => told(quantile(lives, q)));
    lines.push(`Half-life by the ${twin.keeps} gate, ${direction}: ${middle} tokens ` +
      `(quartiles ${low} and ${high})`);
  }
  if (twin.layers && !twin.keeps) lines.push("No gate, so no half-life by a gate.");
  if (twin.layers) lines.push(traceSaid(found, tooLong));
  panel.memory.replaceChildren(...lines.map((line) => make("p", { class: "small" }, line)));
}

function traceSaid(found, tooLong) {
  const what = "Half of the trace that a token leaves in the memory is gone";
  if (!found) return tooLong ? "The trace of a token is not measured in so long a text."
    : "The trace of a token is being measured.";
  const { half, left } = found.trace;
  if (half === null) return left.length > 1
    ? `${what} after more than ${left.length - 1} tokens, as far as this text tells.`
    : "This text is too short to tell how long a token's trace lasts.";
  return `${what} after ${half} ${half === 1 ? "token" : "tokens"}.`;
}

function movedSaid(found, tokens) {
  const order = [...found.effects.keys()].sort(
    (a, b) => Math.abs(found.effects[b]) - Math.abs(found.effects[a]));
  const said = order.slice(0, 3).filter((t) => Math.abs(found.effects[t]) >= 0.0005)
    .map((t) => `“${tokens[t]}” ${signed(100 * found.effects[t], 1)}`);
  return said.length ? `Moved most, in points: ${said.join(", ")}.`
    : "No token alone moves the answer.";
}

function showMaps(panel, read, onPlace) {
  panel.moves = [];
  const shown = panel.groups.flatMap((group) => {
    const title = group.direction ? [make("h4", {}, ARROWS[group.direction])] : [];
    return [...title, ...group.maps.map((map) => mapShown(panel, group, map, onPlace)),
      ...wordsBelow(panel, read.tokens)];
  });
  panel.maps.replaceChildren(...shown, numbers(panel, read));
}

function mapShown(panel, { units, of, direction }, { name, isGate, columns }, onPlace) {
  const most = isGate ? 1 : Math.max(...columns.map(greatestSize), 1e-9);
  const canvas = make("canvas", { role: "img" });
  if (isGate) paint(canvas, columns, units, ofGate, 0, 1);
  else paint(canvas, columns, units, (value) => ofState(value / most), -most, most);
  const height = units.length * Math.max(1, Math.round(MAP_HEIGHT / units.length));
  canvas.style.height = `${height}px`;
  const cursor = make("i");
  const field = make("div", { class: "field" }, canvas, cursor);
  field.addEventListener("click", (event) => {
    const share = event.offsetX / canvas.clientWidth;
    onPlace(Math.min(Math.floor(share * columns.length), columns.length - 1));
  });
  const means = columns.map(meanOf);
  const here = make("span");
  const reach = isGate ? "" : `, ±${most.toPrecision(2)}`;
  panel.moves.push((at) => {
    cursor.style.left = `${100 * at / columns.length}%`;
    cursor.style.width = `${100 / columns.length}%`;
    here.textContent = `mean ${signed(means[at], 2)}`;
    canvas.setAttribute("aria-label", `${name}, ${direction ?? ""} ${of} units over ` +
      `${columns.length} tokens; their mean at this token ${signed(means[at], 2)}, ` +
      `over all tokens ${signed(meanOf(means), 2)}`);
  });
  return make("div", { class: "map" },
    make("p", {}, make("span", {}, `${name}${reach}`), here), field);
}

// The words below the maps, if there is room for them.
function wordsBelow(panel, tokens) {
  if (panel.width / tokens.length < NARROWEST) return [];
  const words = tokens.map((token) => make("span", {}, clipped(token, 11)));
  return [make("div", { class: "below", "aria-hidden": "true" }, ...words)];
}

// All that is drawn, as a table of the means over units; filled when it is opened.
function numbers(panel, read) {
  const details = make("details", {}, make("summary", {}, "The same in numbers"));
  const maps = panel.groups.flatMap((group) => group.maps.map((map) =>
    ({ ...map, name: [map.name, group.direction].filter(Boolean).join(", ") })));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const head = ["token", "effect, points", ...maps.map((map) => `mean ${map.name}`)];
    const rows = read.tokens.map((token, t) => make("tr", {}, make("th", {}, token),
      make("td", {}, panel.found ? signed(100 * panel.found.effects[t], 1) : "–"),
      ...maps.map((map) => make("td", {}, signed(meanOf(map.columns[t]), 2)))));
    details.append(make("div", { class: "scroll", tabindex: "0" }, make("table", {},
      make("thead", {}, make("tr", {}, ...head.map((name) => make("th", {}, name)))),
      make("tbody", {}, ...rows))));
  });
  return details;
}
