// The page: where the dials stand, and the curves that come of it.
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const texts = data.texts.map(openText);
const cells = data.cells.map((cell) => openCell(cell, data.weights[cell.name], texts));
const usual = Object.values(data.presets)[0];
const gated = cells.filter((cell) => cell.gate);

// The dials that are moved: where each is kept, its ends and steps on the slider, and
// from there to its value and back.
const same = (value) => value;
const range = (title, low, high, step, show) =>
  ({ title, low, high, step, show, toSlider: same, ofSlider: same });
const SLIDERS = {
  inputs: { ...range("Size of the inputs, between plus and minus", -2, 0.5, 0.01,
    (value) => `±${Number(value.toPrecision(3))}`),
    toSlider: Math.log10, ofSlider: (place) => Number((10 ** place).toPrecision(2)) },
  matrix: range("Recurrent matrix, times", 0.5, 2, 0.05, (value) => value.toFixed(2)),
  ...Object.fromEntries(gated.map((cell) => [cell.name, range(
    `Bias of the ${cell.gate.name} gate of ${cell.title}`, -2, 8, 0.5,
    (value) => `${value.toFixed(1).replace("-", "−")}, keeps ${sigmoid(value).toFixed(3)}`)])),
  length: range("Length, tokens", 10, data.longest, 10, String),
};
const isOpening = (name) => gated.some((cell) => cell.name === name);

// What is shown now; `found` is what comes of the dials, by cell.
const now = { dials: null, at: data.span, hidden: new Set(), found: {}, width: 0 };
let isWaiting = false;

const get = (name) => (isOpening(name) ? now.dials.openings : now.dials)[name];

function set(name, value) {
  (isOpening(name) ? now.dials.openings : now.dials)[name] = value;
  if (name === "length") now.at = value;
}

const shown = () => cells.filter((cell) => !now.hidden.has(cell.name));

// The address keeps the dials: whoever opens it sees the same.

function toAddress() {
  const values = Object.keys(SLIDERS).map((name) => [name, get(name)]);
  const others = { kind: now.dials.kind, at: now.at, without: [...now.hidden].join(".") };
  const query = new URLSearchParams([...values, ...Object.entries(others)]);
  history.replaceState(null, "", `#${query}`);
}

// What the address does not have, or no dial reaches, stays as usual.
function ofAddress() {
  const query = new URLSearchParams(location.hash.slice(1));
  const number = (name, low, high) => {
    const value = query.get(name)?.trim() ? Number(query.get(name)) : NaN;
    return value >= low && value <= high ? value : null;
  };
  begin();
  for (const [name, { low, high, toSlider }] of Object.entries(SLIDERS)) {
    const value = number(name, -Infinity, Infinity);
    const place = value === null ? NaN : toSlider(value);
    if (place >= low && place <= high) set(name, name === "length" ? Math.round(value) : value);
  }
  if (Object.hasOwn(data.kinds, query.get("kind"))) now.dials.kind = query.get("kind");
  now.at = Math.round(number("at", 0, now.dials.length) ?? now.dials.length);
  const without = new Set((query.get("without") ?? "").split("."));
  for (const cell of cells) if (without.has(cell.name)) now.hidden.add(cell.name);
}

function begin() {
  now.dials = { ...structuredClone(usual), length: data.span };
  now.at = data.span;
  now.hidden.clear();
}

function take(preset) {
  now.dials = { ...structuredClone(preset), length: now.dials.length };
}

// What is drawn anew: all at a dial, the reading alone at a place.

function show() {
  isWaiting = false;
  cells.forEach(follow);
  showDials();
  showPlace();
  byId("said").textContent = sentence();
}

const tokens = (count) => `${count} ${count === 1 ? "token" : "tokens"}`;

// Computes anew what comes of the dials, if one of them is of this cell.
function follow(cell) {
  const { openings, ...others } = now.dials;
  const asked = JSON.stringify([others, openings[cell.name]]);
  if (now.found[cell.name]?.asked !== asked)
    now.found[cell.name] = { asked, ...gradientOf(cell, now.dials) };
}

function showPlace() {
  const said = `${tokens(now.at)} before the end`;
  byId("place").value = now.at;
  byId("place").setAttribute("aria-valuetext", said);
  byId("token").textContent = said;
  showCurves();
  showAnswers();
  toAddress();
}

// At most one picture for each that the screen shows, however fast a dial is moved.
function later() {
  if (!isWaiting) requestAnimationFrame(show);
  isWaiting = true;
}

const isReached = (preset) => preset.kind === now.dials.kind &&
  ["inputs", "matrix"].every((name) => preset[name] === now.dials[name]) &&
  gated.every(({ name }) => preset.openings[name] === now.dials.openings[name]);

function showDials() {
  for (const [name, { show: said, toSlider }] of Object.entries(SLIDERS)) {
    byId(name).value = toSlider(get(name));
    byId(name).setAttribute("aria-valuetext", said(get(name)));
    byId(`${name}-said`).textContent = said(get(name));
  }
  byId("kind").value = now.dials.kind;
  byId("place").max = now.dials.length;
  for (const button of byId("presets").querySelectorAll("[data-preset]"))
    button.setAttribute("aria-pressed", isReached(data.presets[button.dataset.preset]));
  for (const cell of cells) byId(`shows-${cell.name}`).checked = !now.hidden.has(cell.name);
}

function sentence() {
  const { at } = now;
  const parts = shown().map((cell) => {
    const power = now.found[cell.name].mean[at];
    return `${cell.title} ${scientific(power)} (${verdictOf(power, data.limit)})`;
  });
  if (!parts.length) return "No cell is chosen.";
  return `After ${tokens(at)}, of the gradient is left: ${parts.join(", ")}.`;
}

function showCurves() {
  const lines = shown().map((cell) => ({ cell, found: now.found[cell.name] }));
  drawCurves(byId("curve"), lines, now.at, now.dials.length, data.limit, now.width);
}

function showAnswers() {
  const head = ["cell", `left after ${tokens(now.at)}`,
    `least and most of ${data.texts.length} networks`, "by the memory's own way", "verdict"];
  const rows = shown().map((cell) => {
    const { mean, low, high, alone } = now.found[cell.name];
    return make("tr", {}, make("th", { scope: "row" }, sample(cell), cell.title),
      ...[make("strong", {}, scientific(mean[now.at])),
        `${scientific(low[now.at])} to ${scientific(high[now.at])}`,
        alone ? scientific(alone[now.at]) : "–",
        verdictOf(mean[now.at], data.limit)].map((said) => make("td", {}, said)));
  });
  byId("answers").replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows));
}

// What stands in the page once.

function termsOf() {
  const memory = cells.map((cell) => `${cell.title} its ${cell.memory === "c" ? "cell c" : "state h"}`);
  const without = data.left_out.length ? ` ${data.left_out.join(", ")}: without a description ` +
    "of the way back, and so not here." : "";
  return {
    "What is computed": `Networks of ${data.units} inputs and ${data.units} units, drawn at random ` +
      "and never trained, read random inputs. A gradient by the last state, of a random readout, goes " +
      "back by back-propagation through the same steps, in float64; shown is its length by what is " +
      `kept from token to token (${memory.join(", ")}), beside that at the last token. At each move of ` +
      `a dial, all is computed anew, for ${data.texts.length} networks of each cell with a text each: ` +
      `the curve is their geometric mean, the band from the least to the most.${without}`,
    "The memory's own way": "Dotted: what the formula gives without the other ways through the " +
      "recurrent matrices. Over a token LSTM keeps the share f of its cell and GRU the share z of its " +
      "state; SimpleRNN passes on the matrix's stretch times the slope of tanh, 1 − h².",
    "Vanishing, steady, exploding": `Below 1/${10 ** data.limit}, between, and above ${10 ** data.limit}: ` +
      "the grey band is what is steady. The study has eight texts a network, and an interval.",
    "The kinds of matrix": "Keras starts all parts of a gated cell, side by side, as one orthogonal " +
      "matrix, which makes each part alone shrink; of SimpleRNN it is the only part, and keeps every " +
      "length. A random normal one, of variance 1 over the units, has eigenvalues of size up to 1.",
    "Where it stops being exact": "A gradient that explodes tells that the states themselves are " +
      "chaotic: past 10¹⁵ rounding decides which of many such curves this is.",
  };
}

function dialOf(name, title, field) {
  field.id = name;
  return make("div", { class: "dial" }, make("label", { for: name }, title),
    make("output", { id: `${name}-said`, for: name }), field);
}

function setUp() {
  const button = (name, set, attributes) => {
    const one = make("button", { type: "button", ...attributes }, name);
    one.addEventListener("click", () => { set(); later(); });
    return one;
  };
  byId("presets").append(
    ...Object.entries(data.presets).map(([name, preset]) =>
      button(name, () => take(preset), { "data-preset": name })),
    button("Reset", begin, { id: "reset" }));
  for (const [name, { title, low, high, step, ofSlider }] of Object.entries(SLIDERS)) {
    const slider = make("input", { type: "range", min: low, max: high, step });
    slider.addEventListener("input", () => { set(name, ofSlider(Number(slider.value))); later(); });
    byId("dials").append(dialOf(name, title, slider));
  }
  const kinds = make("select");
  for (const [kind, title] of Object.entries(data.kinds))
    kinds.append(make("option", { value: kind }, title));
  kinds.addEventListener("change", () => { now.dials.kind = kinds.value; later(); });
  byId("matrix").closest(".dial").after(dialOf("kind", "Kind of recurrent matrix", kinds));
  byId("cells").append(...cells.map(switchOf));
  for (const [term, said] of Object.entries(termsOf()))
    byId("terms").append(make("dt", {}, term), make("dd", {}, said));
  byId("about").textContent = "Networks that nobody trained: move the dials and see how much of a " +
    "gradient comes back to earlier tokens. The address keeps where the dials stand.";
  byId("curve-said").textContent = "Length of the gradient beside that at the last token; dotted: " +
    "the memory's own way, by its formula; the grey band: steady.";
  byId("made").textContent = `Made by seqclf ${data.version}; opens without a network.`;
}

function switchOf(cell) {
  const box = make("input", { type: "checkbox", id: `shows-${cell.name}` });
  box.addEventListener("change", () => {
    now.hidden[box.checked ? "delete" : "add"](cell.name);
    later();
  });
  return make("label", {}, box, sample(cell), cell.title);
}

function step(to) {
  now.at = Math.min(Math.max(to, 0), now.dials.length);
  showPlace();
}

function pointAt(event) {
  step(placeAt(event.clientX, byId("curve").getBoundingClientRect(), now.dials.length));
}

function again() {
  now.width = byId("curve").clientWidth;
  showCurves();
}

function listen() {
  byId("place").addEventListener("input", () => step(Number(byId("place").value)));
  byId("place").addEventListener("change", () => { byId("said").textContent = sentence(); });
  byId("back").addEventListener("click", () => step(now.at - 1));
  byId("on").addEventListener("click", () => step(now.at + 1));
  byId("curve").addEventListener("pointermove", pointAt);
  addEventListener("resize", again);
  addEventListener("beforeprint", again);
  addEventListener("afterprint", again);
  addEventListener("hashchange", () => { ofAddress(); later(); });
}

setUp();
now.width = byId("curve").clientWidth;
listen();
ofAddress();
show();
