// What is measured of readings.
const LONGEST_HALF_LIFE = 1e6;

// What each token does: the probability of the answer less what it is with the token
// unknown; and how long its trace in the first layer's memory lasts, by the distance of
// both memories, forward. A generator: it yields after each token, for it takes a while.
function* effectsOf(twin, whole) {
  const label = greatest(whole.probabilities);
  const effects = new Float64Array(whole.ids.length);
  const lags = new Array(Math.floor(whole.ids.length / 2) + 1).fill(0);
  const counts = [...lags];
  for (let t = 0; t < whole.ids.length; t += 1) {
    if (whole.ids[t] !== UNKNOWN_ID) {
      const without = twin.read(whole.ids.map((id, i) => (i === t ? UNKNOWN_ID : id)), whole);
      effects[t] = whole.probabilities[label] - without.probabilities[label];
      if (twin.memory) addTrace(twin, whole, without, t, lags, counts);
    }
    yield t;
  }
  return { label, effects, trace: traceOf(lags, counts) };
}

function addTrace(twin, whole, without, t, lags, counts) {
  const memory = (reading, at) => reading.layers[0].directions[0][at][twin.memory];
  const first = distance(memory(whole, t), memory(without, t));
  for (let lag = 0; first && lag < lags.length && t + lag < whole.ids.length; lag += 1) {
    lags[lag] += distance(memory(whole, t + lag), memory(without, t + lag)) / first;
    counts[lag] += 1;
  }
}

function distance(a, b) {
  let sum = 0;
  for (let u = 0; u < a.length; u += 1) sum += (a[u] - b[u]) ** 2;
  return Math.sqrt(sum);
}

// The mean share of the trace that is left by lag, and the first lag where that is no
// more than half; null where the text is too short to tell.
function traceOf(lags, counts) {
  const left = lags.map((sum, lag) => sum / counts[lag]).filter(Number.isFinite);
  const half = left.findIndex((share) => share <= 0.5);
  return { left, half: half < 0 ? null : half };
}

// The mean ln of the share that each unit keeps at a token.
function keptOf(steps, keeps) {
  const sums = new Float64Array(steps[0][keeps].length);
  for (const { [keeps]: kept } of steps)
    for (let u = 0; u < sums.length; u += 1) sums[u] += Math.log(Math.max(kept[u], 1e-30));
  return sums.map((sum) => sum / steps.length);
}

// Each unit's memory half-life in tokens, ascending: ln 0.5 / mean ln of the share that
// is kept, at most a million; as `seqclf study gates` has it.
function halfLives(steps, keeps) {
  const most = Math.log(0.5) / LONGEST_HALF_LIFE;
  return keptOf(steps, keeps).map((mean) => Math.log(0.5) / Math.min(mean, most)).sort();
}

function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}
