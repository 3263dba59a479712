// Arrays of numbers. A matrix is { shape: [rows, columns], values }, row behind row.

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

function softmax(logits) {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = Float64Array.from(logits, (value) => Math.exp(value - most));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((value) => value / total);
}

function weighted(vectors, weights) {
  const sum = new Float64Array(vectors[0].length);
  vectors.forEach((vector, t) => {
    for (let u = 0; u < sum.length; u += 1) sum[u] += weights[t] * vector[u];
  });
  return sum;
}

// The vector times the matrix, plus the bias: most of all that is computed. Eight rows
// at a time, and all in float64, was the fastest of what was tried.
function times(vector, { shape: [rows, columns], values }, bias) {
  const sum = new Float64Array(bias.values);
  let row = 0;
  for (; row + 7 < rows; row += 8) {
    const a = vector[row], b = vector[row + 1], c = vector[row + 2], d = vector[row + 3];
    const e = vector[row + 4], f = vector[row + 5], g = vector[row + 6], h = vector[row + 7];
    for (let j = 0, at = row * columns; j < columns; j += 1, at += 1)
      sum[j] += a * values[at] + b * values[at + columns] +
        c * values[at + 2 * columns] + d * values[at + 3 * columns] +
        (e * values[at + 4 * columns] + f * values[at + 5 * columns] +
        g * values[at + 6 * columns] + h * values[at + 7 * columns]);
  }
  for (; row < rows; row += 1)
    for (let j = 0; j < columns; j += 1) sum[j] += vector[row] * values[row * columns + j];
  return sum;
}

function greatest(values) {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}

// Weights as the page holds them: little-endian bytes in base64.

function bytes(base64) {
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) found[i] = text.charCodeAt(i);
  return found.buffer;
}

function unpacked({ shape, float32, float64 }) {
  const values = float64 ? bytes(float64) : new Float32Array(bytes(float32));
  return { shape, values: new Float64Array(values) };
}

// Returns the vector of a token id, always the same array for the same id.
function openEmbedding({ shape: [, width], float32, int8, scales }) {
  const values = int8 ? new Int8Array(bytes(int8)) : new Float32Array(bytes(float32));
  const scale = int8 ? new Float32Array(bytes(scales)) : null;
  const rows = new Map();
  return (id) => {
    if (!rows.has(id)) {
      const row = new Float64Array(values.subarray(id * width, (id + 1) * width));
      rows.set(id, scale ? row.map((value) => value * scale[id]) : row);
    }
    return rows.get(id);
  };
}
