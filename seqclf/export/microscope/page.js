// The page: what is typed and chosen, and when what is shown again.
const SLICE = 12;  // milliseconds of measuring at a time, so that typing stays quick
const PAUSE = 250;  // milliseconds without a key before the slow measures begin
const MOST_EXPLAINED = 400;  // tokens; the work grows with their square

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const readText = openText(data.rules, data.vocabulary);
const twins = data.twins.map(openTwin);
const panels = twins.map(panelOf);
// What is shown now: a text, and by twin its reading, the answers to the text cut behind
// each token, and what its tokens do, as far as these are known.
const now = { read: null, at: 0, label: 0, layer: 0, readings: [], cuts: [], found: [], width: 0 };
let work = null;
let timer = 0;

const isTwoWay = (twin) => twin.directions.length > 1;
const isLong = () => now.read.ids.length > MOST_EXPLAINED;

function cutAt(i, t) {
  const reading = now.readings[i];
  const isWhole = t === reading.ids.length - 1;
  now.cuts[i][t] ??= isWhole ? reading.probabilities : twins[i].cut(reading, t);
  return now.cuts[i][t];
}

function take(text) {
  const before = now.read;
  now.read = readText(text);
  const { ids } = now.read;
  // The answers behind an equal beginning are known; that of the whole text is another.
  const equal = before ? equalHead(before.ids, ids) : 0;
  now.cuts = now.cuts.map((cuts) => cuts.slice(0, equal));
  now.readings = twins.map((twin, i) => twin.read(ids, now.readings[i]));
  if (!before) now.cuts = twins.map(() => []);
  now.found = twins.map(() => null);
  now.at = ids.length - 1;
  showText();
  showAll();
  begin();
}

function* measured() {
  for (const [i, twin] of twins.entries())
    if (!isTwoWay(twin)) yield* cutsOf(i);
  yield PAUSE;
  for (const [i, twin] of twins.entries())
    if (isTwoWay(twin)) yield* cutsOf(i);
  for (const [i, twin] of isLong() ? [] : twins.entries()) {
    now.found[i] = yield* effectsOf(twin, now.readings[i]);
    showFound(i);
    moveTo(panels[i], now.at);
  }
}

function* cutsOf(i) {
  for (let t = 0; t < now.read.ids.length; t += 1) {
    cutAt(i, t);
    yield t;
  }
  showCurve();
}

// Measures slice by slice, from the beginning if another text came.
function begin() {
  clearTimeout(timer);
  work = measured();
  slice(false);
}

function slice(hasPaused) {
  const end = performance.now() + SLICE;
  let step = { done: false };
  while (!step.done && performance.now() < end) {
    step = work.next();
    if (step.value === PAUSE && !hasPaused) {
      timer = setTimeout(slice, PAUSE, true);
      break;
    }
  }
  byId("busy").textContent = step.done ? "" : "Measuring what each token does …";
  if (!step.done && step.value !== PAUSE) timer = setTimeout(slice, 0, hasPaused);
}

function showText() {
  const { ids, count, head } = now.read;
  const unknown = ids.filter((id) => id === UNKNOWN_ID).length;
  const parts = [count ? `${count.toLocaleString("en")} ${count === 1 ? "token" : "tokens"}`
    : "No token; the twins read one unknown token instead"];
  if (head !== null) parts.push(`only ${ids.length} of them are read, from its ends`);
  if (unknown && count) parts.push(`${unknown} unknown to the vocabulary (dotted)`);
  byId("counted").textContent = `${parts.join(", ")}.`;
  const place = byId("place");
  place.max = ids.length;
}

function showAll() {
  twins.forEach((twin, i) => {
    showHead(panels[i], twin, now.readings[i], data.labels);
    panels[i].groups = mapsOf(twin, now.readings[i], now.layer);
    showMaps(panels[i], now.read, step);
    showFound(i);
  });
  showPlace();
}

// What the measures say of a twin, as far as they have come.
function showFound(i) {
  const [panel, found] = [panels[i], now.found[i]];
  Object.assign(panel, { tokens: now.read.tokens, found });
  showMemory(panel, twins[i], isLong());
  showWords(panel, now.read, found);
}

// What depends on the token that the reader is at.
function showPlace() {
  const { read, at } = now;
  const token = `${at + 1} of ${read.tokens.length}: ${read.tokens[at]}`;
  byId("place").value = at + 1;
  byId("place").setAttribute("aria-valuetext", token);
  byId("token").textContent = `Token ${token}`;
  for (const panel of panels) moveTo(panel, at);
  showCurve();
  showAnswers();
}

function showCurve() {
  const lines = twins.map((twin, i) => ({
    twin, shares: now.read.ids.map((_, t) => now.cuts[i][t]?.[now.label]) }));
  curve(byId("curve"), lines, now.read.tokens, now.at, now.width);
}

function showAnswers() {
  const label = data.labels[now.label];
  const head = ["twin", `${label}, after token ${now.at + 1}`, "answer to the whole text",
    "test accuracy"];
  const rows = twins.map((twin, i) => {
    const whole = now.readings[i].probabilities;
    const best = greatest(whole);
    return make("tr", {}, make("th", { scope: "row" }, sample(twin), twin.title),
      make("td", {}, make("strong", {}, percent(cutAt(i, now.at)[now.label]))),
      make("td", {}, `${data.labels[best]} ${percent(whole[best])}`),
      make("td", {}, twin.accuracy === null ? "–" : percent(twin.accuracy)));
  });
  byId("answers").replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows));
  const said = twins.map((twin, i) => `${twin.title} ${percent(cutAt(i, now.at)[now.label])}`);
  byId("said").textContent = `${label}, after “${now.read.tokens[now.at]}”: ${said.join(", ")}.`;
}

function step(to) {
  now.at = Math.min(Math.max(to, 0), now.read.ids.length - 1);
  showPlace();
}

// What stands in the page once.

function choices(select, names) {
  select.append(...names.map((name, i) => make("option", { value: i }, name)));
}

function termsOf() {
  const two = twins.filter(isTwoWay).map((twin) => twin.title);
  const curves = "The probability of a label after a token is the answer to the text cut " +
    "behind that token.";
  const both = two.length ? ` ${two.join(", ")}: they read in both directions, and so have ` +
    "no answer that runs along with the reading; each cut text was read anew, backward " +
    "from its last token." : "";
  const compared = twins.map((twin) => {
    const most = twin.greatest_difference;
    return `${twin.title} at most ${most ? most.toExponential(1) : 0}, another label for ` +
      `${twin.other_labels}`;
  }).join("; ");
  const held = data.vectors === "int8" ? "The vectors of tokens are held in 8 bits, each " +
    "with a scale of its own, to keep the page small; all else is in float32." :
    "All weights are held in float32.";
  return {
    "Probability after a token": curves + both,
    "Tokens that moved the answer": "The probability of the twin's answer to the whole text, " +
      "less what it is with this token replaced by the unknown one, in points. Blue speaks " +
      "for the answer, orange against it; the strongest colour is the greatest effect in " +
      `this text, or ${100 * LEAST_EFFECT} points. As seqclf predict --explain; in texts of ` +
      `at most ${MOST_EXPLAINED} tokens.`,
    "Gates and states": `Each line is a unit, at most ${MOST_ROWS} of them, evenly taken from ` +
      "the shortest memory (above) to the longest; each column is a token. A gate goes from " +
      "0, shut, to 1, open. The update gate of a GRU is the share of the old state that it " +
      "keeps. A state's scale is its greatest size in this text.",
    "Half-life by a gate": "ln 0.5 / mean ln of the forget gate (LSTM) or the update gate " +
      "(GRU) over this text, of each unit; the median and quartiles of the units. By the " +
      "direct way alone: what returns through the recurrent weights is not counted. A " +
      "SimpleRNN has no such gate. As seqclf study gates.",
    "Trace of a token": "For every cell alike: the distance between the memory and what it " +
      "is with a token left out, in the first layer, forward; beside that right after the " +
      "token, averaged over the tokens of this text, up to half its length.",
    "How exact it is": `${held} When the page was made, the twins with these weights were ` +
      `compared with their runs on ${twins[0].texts} texts; probabilities differed by: ` +
      `${compared}. The arithmetic of this page is compared with the runs' own in ` +
      "the tests of seqclf.",
    "What the page reveals": "It needs no network and sends nothing. It holds the weights, " +
      "all words of the vocabulary" + (data.sentences.length ?
      " and the texts to choose from" : "") + ", which come from the training data: whoever " +
      "has the page can read them.",
  };
}

function setUp() {
  const names = twins.map((twin) => twin.run).join(", ");
  byId("about").textContent = `Trained on ${data.dataset}; they differ in the recurrent ` +
    `layer. Type a text and go through it with the arrow keys. Runs: ${names}.`;
  byId("made").textContent = `Made by seqclf ${data.version}; opens without a network.`;
  choices(byId("label"), data.labels);
  choices(byId("chosen"), data.sentences.map(({ text, label }) => `${clipped(text, 70)} (${label})`));
  byId("choose").hidden = !data.sentences.length;
  const depth = Math.max(...twins.map((twin) => twin.layers));
  choices(byId("layer"), Array.from({ length: depth }, (_, i) => i + 1));
  byId("layers").hidden = depth < 2;
  now.layer = Math.max(depth - 1, 0);
  byId("layer").value = now.layer;
  const two = twins.filter(isTwoWay).length;
  byId("curve-said").textContent = "After each token: the answer to the text cut behind it." +
    (two ? " Twins that read in both directions have no running answer: they read each cut text anew." : "");
  for (const [term, said] of Object.entries(termsOf()))
    byId("terms").append(make("dt", {}, term), make("dd", {}, said));
  byId("panels").append(...panels.map((panel) => panel.element));
  showLegend();
}

function showLegend() {
  const asEffect = (value) => mixed([128, 128, 128], value < 0 ? AGAINST : FOR, Math.abs(value));
  byId("legend").replaceChildren(
    scale(0, 1, ofGate, ["gate: 0, shut", "1, open"]),
    scale(-1, 1, ofState, ["state: −", "+"]),
    scale(-1, 1, asEffect, ["token: against the answer", "for it"]));
}

// Asked once, for the browser would lay the page out anew each time.
function measureWidths() {
  now.width = byId("curve").clientWidth;
  for (const panel of panels) panel.width = panel.element.clientWidth;
}

function again() {
  measureWidths();
  showLegend();
  showAll();
}

function listen() {
  byId("typed").addEventListener("input", () => take(byId("typed").value));
  byId("chosen").addEventListener("change", () => choose(byId("chosen").value));
  byId("place").addEventListener("input", () => step(byId("place").value - 1));
  byId("back").addEventListener("click", () => step(now.at - 1));
  byId("on").addEventListener("click", () => step(now.at + 1));
  byId("label").addEventListener("change", () => { now.label = Number(byId("label").value); showPlace(); });
  byId("layer").addEventListener("change", () => { now.layer = Number(byId("layer").value); showAll(); });
  document.addEventListener("keydown", (event) => {
    const places = { ArrowLeft: now.at - 1, ArrowRight: now.at + 1, Home: 0, End: Infinity };
    const isField = event.target.closest("textarea, select, input, .scroll");
    if (isField || event.altKey || event.ctrlKey || event.metaKey || !(event.key in places)) return;
    event.preventDefault();
    step(places[event.key]);
  });
  addEventListener("resize", again);
  DARK.addEventListener("change", again);
  addEventListener("beforeprint", () => { isPrinted = true; again(); });
  addEventListener("afterprint", () => { isPrinted = false; again(); });
}

function choose(index) {
  const text = data.sentences[index]?.text ?? "";
  byId("typed").value = text;
  take(text);
}

setUp();
measureWidths();
listen();
choose(0);
now.label = greatest(now.readings[twins.length - 1].probabilities);
byId("label").value = now.label;
step(now.at);
