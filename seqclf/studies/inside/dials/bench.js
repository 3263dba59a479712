// Untrained networks, and the way of a gradient back through one text of each.
// STEPS and BACKS, by the names of cells, stand before it.

// Plain loops, for these go over all units of all steps at each move of a dial.
function sizeOf(vector) {
  let sum = 0;
  for (let u = 0; u < vector.length; u += 1) sum += vector[u] * vector[u];
  return Math.sqrt(sum);
}

function divide(vector, by) {
  for (let u = 0; u < vector.length; u += 1) vector[u] /= by;
}

const meanOver = (lists, t) => lists.reduce((sum, one) => sum + one[t], 0) / lists.length;

function openText({ inputs, readout }) {
  const { shape: [tokens, units], values } = unpacked(inputs);
  const rows = Array.from({ length: tokens }, (_, t) =>
    values.subarray(t * units, (t + 1) * units));
  return { rows, readout: unpacked(readout).values };
}

// A cell with its networks, whose inputs are projected once: the dial scales them.
function openCell(cell, weights, texts) {
  const networks = weights.map(({ kernel, recurrent }, i) => {
    const matrix = unpacked(kernel);
    const none = { values: new Float64Array(matrix.shape[1]) };
    return {
      readout: texts[i].readout,
      projected: texts[i].rows.map((row) => times(row, matrix, none)),
      recurrent: Object.fromEntries(
        Object.entries(recurrent).map(([kind, packed]) => [kind, unpacked(packed)])),
    };
  });
  return { ...cell, networks };
}

// The network's recurrent matrix as the dials have it; transposed, too.
function matricesOf({ recurrent }, { kind, matrix }) {
  const { shape: [rows, columns], values } = recurrent[kind];
  const scaled = new Float64Array(values.length), turned = new Float64Array(values.length);
  for (let i = 0, at = 0; i < rows; i += 1)
    for (let j = 0; j < columns; j += 1, at += 1)
      scaled[at] = turned[j * rows + i] = matrix * values[at];
  return [{ shape: [rows, columns], values: scaled }, { shape: [columns, rows], values: turned }];
}

function stepsOf(cell, { projected }, recurrent, dials) {
  const [units, width] = recurrent.shape;
  const bias = new Float64Array(width);
  if (cell.gate)
    bias.fill(dials.openings[cell.name], cell.gate.part * units, (cell.gate.part + 1) * units);
  const none = { values: new Float64Array(width) };
  const empty = () =>
    Object.fromEntries(cell.values.map((name) => [name, new Float64Array(units)]));
  const x = new Float64Array(width);
  let before = empty();
  return projected.slice(0, dials.length + 1).map((row) => {
    for (let i = 0; i < width; i += 1) x[i] = dials.inputs * row[i] + bias[i];
    const h = times(before.hidden, recurrent, none);
    const made = empty();
    STEPS[cell.name](x, h, before, made, units);
    const step = { h, before, made };
    before = made;
    return step;
  });
}

// What the formula of the memory's own way multiplies a gradient by in a step: the root
// of the mean square of the share that is kept or, of a plain network, of the slope of
// tanh times the root of the mean square of the matrix's singular values.
function ownShare(cell, made, stretch) {
  const kept = cell.keeps ? made[cell.keeps]
    : made.hidden.map((value) => stretch * (1 - value * value));
  return sizeOf(kept) / Math.sqrt(kept.length);
}

// Takes a gradient by the last state back through a text. Returns, from the last token
// on, log10 of the norm of the derivative by the memory, `all`; and of the factor of the
// memory's own way, `alone`. The gradient is set to length 1 at each step and its length
// kept as a logarithm, so that nothing becomes too small to be a number.
function wayBack(cell, network, dials) {
  const [recurrent, turned] = matricesOf(network, dials);
  const [units, width] = recurrent.shape;
  const stretch = sizeOf(recurrent.values) / Math.sqrt(units);
  const all = [], alone = [];
  const own = new Float64Array(units), to = new Float64Array(width);
  let by = { hidden: network.readout, cell: new Float64Array(units) };
  let taken = 0, kept = 0;
  for (const { h, before, made } of stepsOf(cell, network, recurrent, dials).reverse()) {
    const past = { hidden: new Float64Array(units), cell: new Float64Array(units) };
    BACKS[cell.name](h, before, made, by, own, to, past, units);
    all.push(taken + Math.log10(sizeOf(own)));
    alone.push(kept);
    if (cell.has_formula) kept += Math.log10(ownShare(cell, made, stretch));
    by = { hidden: times(to, turned, { values: past.hidden }), cell: past.cell };
    const size = Math.hypot(sizeOf(by.hidden), sizeOf(by.cell)) || 1;
    divide(by.hidden, size);
    divide(by.cell, size);
    taken += Math.log10(size);
  }
  return { all, alone };
}

// By tokens back, log10 of what is left of a gradient: the mean over the networks, the
// least and the most; and by the memory's own way, null of a cell without a formula.
function gradientOf(cell, dials) {
  const ways = cell.networks.map((network) => wayBack(cell, network, dials));
  const lefts = ways.map(({ all }) => all.map((power) => power - all[0]));
  const places = lefts[0].map((_, t) => t);
  return {
    mean: places.map((t) => meanOver(lefts, t)),
    low: places.map((t) => Math.min(...lefts.map((one) => one[t]))),
    high: places.map((t) => Math.max(...lefts.map((one) => one[t]))),
    alone: cell.has_formula
      ? places.map((t) => meanOver(ways.map(({ alone }) => alone), t)) : null,
  };
}

// How a factor is said, from its log10: `0.62`, `12`, `7e-21`; as in the study.
function scientific(power) {
  if (power === -Infinity) return "0";
  if (power >= -3 && power < 5) {
    const value = 10 ** power;
    return value < 99.5 ? String(Number(value.toPrecision(2)))
      : Math.round(value).toLocaleString("en");
  }
  const [digit, exponent] = (10 ** (power - Math.floor(power))).toExponential(0).split("e");
  return `${digit}e${Math.floor(power) + Number(exponent)}`;
}

// As the study has it, but of the mean instead of an interval.
function verdictOf(power, limit) {
  if (power < -limit) return "vanishing";
  return power > limit ? "exploding" : "steady";
}
