// The picture of what is left of gradients; it knows nothing of the dials.
const LEFT = 46, RIGHT = 12, TOP = 8, HEIGHT = 300, BELOW = 40;
const LEAST = -25, MOST = 5;  // powers of ten that are always on the axis
const RAISED = Object.fromEntries([..."-0123456789"].map((c, i) => [c, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[i]]));
const powerOfTen = (power) => `10${[...String(power)].map((c) => RAISED[c]).join("")}`;

// The least of some steps that an axis takes at most eight of.
const stepOf = (width, steps) => steps.find((one) => width / one <= 8) ?? steps.at(-1);

// The ends of the axis and its step: the same as long as the curves fit.
function axisOf(lines) {
  const all = lines.flatMap(({ found: { low, high, alone } }) => [...low, ...high, ...alone ?? []])
    .filter(Number.isFinite);
  const low = all.reduce((a, b) => Math.min(a, b), LEAST);
  const high = all.reduce((a, b) => Math.max(a, b), MOST);
  const step = stepOf(high - low, [5, 10, 20, 50, 100, 200]);
  return { step, low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step };
}

// Draws [{ cell, found }], `found` from `gradientOf`, over so many tokens; marked is the
// place `at`, and the band of what counts as steady, up to 10 to plus or minus `limit`.
function drawCurves(place, lines, at, length, limit, width) {
  const axis = axisOf(lines);
  const x = (t) => LEFT + (width - LEFT - RIGHT) * t / length;
  const y = (power) => TOP + (HEIGHT - TOP) *
    (axis.high - Math.min(Math.max(power, axis.low), axis.high)) / (axis.high - axis.low);
  const svg = drawn("svg", {
    viewBox: `0 0 ${width} ${HEIGHT + BELOW}`, role: "img",
    "aria-label": "Curves of what is left of the gradient; the table below has them." });
  svg.append(drawn("rect", { class: "steady", x: x(0), width: x(length) - x(0),
    y: y(limit), height: y(-limit) - y(limit) }));
  svg.append(...gridOf(x, y, axis, length));
  svg.append(drawn("path", { class: "cursor", d: `M${x(at)} ${TOP}V${HEIGHT}` }));
  for (const { cell, found } of lines) svg.append(...curvesOf(cell, found, at, x, y));
  place.replaceChildren(svg);
}

function gridOf(x, y, { low, high, step }, length) {
  const parts = [];
  for (let power = low; power <= high; power += step) {
    parts.push(drawn("path", { class: "grid", d: `M${x(0)} ${y(power)}H${x(length)}` }),
      drawn("text", { x: LEFT - 6, y: y(power) + 4, "text-anchor": "end" }, powerOfTen(power)));
  }
  const every = stepOf(length, [2, 5, 10, 20, 50, 100]);
  for (let t = 0; t <= length; t += every)
    parts.push(drawn("text", { x: x(t), y: HEIGHT + 16, "text-anchor": "middle" }, t));
  parts.push(drawn("text", { x: x(length / 2), y: HEIGHT + 34, "text-anchor": "middle" },
    "tokens before the end"));
  return parts;
}

function curvesOf(cell, { mean, low, high, alone }, at, x, y) {
  const point = (power, t) => `${x(t).toFixed(1)} ${y(power).toFixed(1)}`;
  const line = (powers) => `M${powers.map(point).join("L")}`;
  const back = low.map(point).reverse().join("L");
  const parts = [drawn("path", { class: "twin spread", d: `${line(high)}L${back}Z` })];
  if (alone) parts.push(drawn("path", { class: "twin alone", d: line(alone) }));
  parts.push(drawn("path", { class: "twin", d: line(mean), "stroke-dasharray": cell.dash }),
    drawn("circle", { class: "twin", cx: x(at), cy: y(mean[at]), r: 5 }));
  for (const part of parts) part.style.setProperty("--cell", cell.colour);
  return parts;
}

// The place under a pointer, in tokens.
function placeAt(clientX, box, length) {
  return Math.round((clientX - box.left - LEFT) / (box.width - LEFT - RIGHT) * length);
}
