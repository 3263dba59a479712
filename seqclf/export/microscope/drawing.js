// Numbers, colours and pictures of what the twins do.

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const signed = (value, digits) =>
  value.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");

// Colours: a gate from dark, shut, to light, open (after cividis, which all eyes can
// read); a state from blue through the paper to red.
const DARK = matchMedia("(prefers-color-scheme: dark)");
const GATE = [[0, 34, 78], [66, 78, 107], [124, 123, 120], [188, 175, 111], [254, 232, 56]];
const BELOW = [33, 102, 172], ABOVE = [178, 24, 43];
let isPrinted = false;

function mixed(a, b, share) {
  return a.map((value, i) => value + share * (b[i] - value));
}

function ofGate(value) {
  const place = Math.min(Math.max(value, 0), 1) * (GATE.length - 1);
  const low = Math.min(Math.floor(place), GATE.length - 2);
  return mixed(GATE[low], GATE[low + 1], place - low);
}

// The colour of a value from -1 to 1.
function ofState(value) {
  const isDark = DARK.matches && !isPrinted;
  const middle = isDark ? [30, 36, 44] : [247, 247, 247];
  const end = value < 0 ? BELOW : ABOVE;
  const share = Math.min(Math.abs(value), 1);
  return mixed(middle, isDark ? mixed(end, [255, 255, 255], 0.3) : end, share);
}

// Draws a column a token and a line a unit, by a function from values of `low` to `high`
// to colours; of these there are 256, looked up, for there are many points.
function paint(canvas, columns, units, colour, low, high) {
  const colours = Uint32Array.from({ length: 256 }, (_, i) => {
    const [red, green, blue] = colour(low + (high - low) * i / 255);
    return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;  // bytes: red first
  });
  canvas.width = columns.length;
  canvas.height = units.length;
  const picture = new ImageData(columns.length, units.length);
  const points = new Uint32Array(picture.data.buffer);
  const share = 255 / (high - low);
  columns.forEach((values, x) => {
    for (let y = 0, at = x; y < units.length; y += 1, at += columns.length) {
      const place = Math.floor((values[units[y]] - low) * share + 0.5);
      points[at] = colours[Math.min(Math.max(place, 0), 255)];
    }
  });
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

function scale(low, high, colour, words) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const columns = Array.from({ length: 64 }, (_, i) => [low + (high - low) * i / 63]);
  paint(canvas, columns, [0], colour, low, high);
  const [before, after] = words;
  return make("span", {}, before, canvas, after);
}

const LEFT = 44, RIGHT = 8, TOP = 8, HEIGHT = 190, NARROWEST = 12;

// Draws the probabilities of twins after each token, [{ twin, shares }], of shares that
// are still unknown nothing; with the words below if there is room.
function curve(place, lines, tokens, at, width) {
  const across = (width - LEFT - RIGHT) / tokens.length;
  const x = (t) => LEFT + across * (t + 0.5);
  const y = (share) => TOP + (HEIGHT - TOP) * (1 - share);
  const hasRoom = across >= NARROWEST;
  const svg = drawn("svg", {
    viewBox: `0 0 ${width} ${HEIGHT + (hasRoom ? 78 : 12)}`, role: "img",
    "aria-label": "Curves of the probability after each token; the table below has them." });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const [low, high] = [LEFT, width - RIGHT];
    svg.append(drawn("path", { class: "grid", d: `M${low} ${y(share)}H${high}` }));
    svg.append(drawn("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" },
      `${100 * share} %`));
  }
  svg.append(drawn("path", { class: "cursor", d: `M${x(at)} ${TOP}V${HEIGHT}` }));
  if (hasRoom) tokens.forEach((token, t) => svg.append(drawn("text", {
    transform: `translate(${x(t) + 4} ${HEIGHT + 8}) rotate(-90)`, "text-anchor": "end",
    "font-weight": t === at ? 700 : 400 }, clipped(token, 11))));
  for (const { twin, shares } of lines) svg.append(...lineOf(twin, shares, at, x, y));
  place.replaceChildren(svg);
}

function lineOf(twin, shares, at, x, y) {
  const points = shares.flatMap((share, t) => (share === undefined ? [] :
    [`${t && shares[t - 1] !== undefined ? "L" : "M"}${x(t).toFixed(1)} ${y(share).toFixed(1)}`]));
  const parts = [drawn("path", {
    class: "twin", d: points.join(""), "stroke-dasharray": twin.dash })];
  if (shares[at] !== undefined)
    parts.push(drawn("circle", { class: "twin", cx: x(at), cy: y(shares[at]), r: 5 }));
  for (const part of parts) part.style.setProperty("--cell", twin.colour);
  return parts;
}

function clipped(word, most) {
  const letters = [...word];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : word;
}
