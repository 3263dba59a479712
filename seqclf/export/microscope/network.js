// A network taken apart, so that gates and states can be looked at.
// STEPS and POOLS, by the names of cells and poolings, stand before it.

// A twin reads. What an earlier reading has over the same vectors is taken from it:
// what is the same is the same array, so that === tells.

function equalHead(a, b) {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n += 1;
  return n;
}

function equalTail(a, b) {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[a.length - 1 - n] === b[b.length - 1 - n]) n += 1;
  return n;
}

function openConvolution({ kernel, bias }) {
  const [width, inputs, filters] = kernel.shape;
  const before = (width - 1) >> 1;  // as Keras: of an even width, the odd one follows
  const after = width - 1 - before;
  const taps = Array.from({ length: width }, (_, i) => ({
    shape: [inputs, filters],
    values: kernel.values.subarray(i * inputs * filters, (i + 1) * inputs * filters),
  }));

  function at(rows, t) {
    let sum = bias.values;
    taps.forEach((tap, i) => {
      const row = rows[t + i - before];
      if (row) sum = times(row, tap, { values: sum });
    });
    return sum.map((value) => Math.max(value, 0));
  }

  return (rows, old) => {
    const head = old ? equalHead(old.rows, rows) - after : 0;
    const tail = old ? rows.length - equalTail(old.rows, rows) + before : rows.length;
    const moved = old ? old.rows.length - rows.length : 0;
    return rows.map((_, t) => {
      if (t < head) return old.states[t];
      return t >= tail ? old.states[t + moved] : at(rows, t);
    });
  };
}

// One direction of a recurrent layer: from its inputs to the values of each token's step.
function openDirection({ kernel, recurrent, bias }, cell, names, isBackward) {
  const units = recurrent.shape[0];
  const width = recurrent.shape[1];
  const ofInput = { values: bias.values.subarray(0, width) };
  // Keras's GRU has biases for the state apart; the others have none.
  const ofState = { values: bias.shape.length > 1
    ? bias.values.subarray(width) : new Float64Array(width) };
  const empty = () => Object.fromEntries(names.map((n) => [n, new Float64Array(units)]));
  const projected = new WeakMap();
  const step = STEPS[cell];

  function next(row, before) {
    if (!projected.has(row)) projected.set(row, times(row, kernel, ofInput));
    const made = empty();
    const h = times(before.hidden, recurrent, ofState);
    step(projected.get(row), h, before, made, units);
    return made;
  }

  return (rows, old) => {
    const equal = isBackward ? equalTail : equalHead;
    const kept = old ? equal(old.rows, rows) : 0;
    const place = (k, all) => (isBackward ? all.length - 1 - k : k);
    const steps = new Array(rows.length);
    let before = empty();
    for (let k = 0; k < rows.length; k += 1) {
      const t = place(k, rows);
      before = k < kept ? old.steps[place(k, old.steps)] : next(rows[t], before);
      steps[t] = before;
    }
    return steps;
  };
}

function joined(vectors) {
  if (vectors.length === 1) return vectors[0];
  const all = new Float64Array(vectors.reduce((sum, one) => sum + one.length, 0));
  vectors.reduce((at, one) => { all.set(one, at); return at + one.length; }, 0);
  return all;
}

function openTwin(twin) {
  const parts = new Map();
  for (const [name, packed] of Object.entries(twin.weights))
    if (name !== "embedding") parts.set(name, unpacked(packed));
  const layer = (name) => ({
    kernel: parts.get(`${name}.kernel`),
    recurrent: parts.get(`${name}.recurrent`),
    bias: parts.get(`${name}.bias`),
  });
  const embedding = openEmbedding(twin.weights.embedding);
  const convolution = twin.conv_width ? openConvolution(layer("convolution")) : null;
  const directions = twin.directions;
  const layers = Array.from({ length: twin.layers }, (_, index) =>
    directions.map((direction) => openDirection(
      layer(`recurrent_${index}.${direction}`), twin.cell, twin.values,
      direction === "backward")));
  const output = layer("logits");

  function pooled(states, read) {
    if (twin.is_last && read.length) {
      const steps = read[read.length - 1].directions;
      return joined(steps.map((one, d) => one[d ? 0 : one.length - 1].hidden));
    }
    return POOLS[twin.pooling](states, layer);
  }

  // Reads token ids, one at least; an earlier reading `old` of any text saves work.
  function read(ids, old) {
    const embedded = ids.map(embedding);
    let states = embedded;
    if (convolution)
      states = convolution(embedded, old && { rows: old.embedded, states: old.inputs });
    const inputs = states;
    const made = layers.map((pair, index) => {
      const earlier = old && old.layers[index];
      const rows = states;
      const found = pair.map((direction, d) =>
        direction(rows, earlier && { rows: earlier.rows, steps: earlier.directions[d] }));
      states = rows.map((_, t) => joined(found.map((steps) => steps[t].hidden)));
      return { rows, directions: found };
    });
    const logits = times(pooled(states, made), output.kernel, output.bias);
    return { ids, embedded, inputs, layers: made, probabilities: softmax(logits) };
  }

  // The answer to the text cut behind token t, from 0; of one reading `whole`.
  const cut = (whole, t) => read(whole.ids.slice(0, t + 1), whole).probabilities;

  return { ...twin, read, cut };
}
