// Curves of a training: pure functions, without a page. Python joins curves.js, drawing.js and live_training.js.

const BATCH = "batch loss";
const words = (name) => name.replaceAll("_", " ");
export const quantity = (name) => (name === BATCH ? "loss" : name.replace(/^val_/, ""));
export const dataSet = (name) => (name === BATCH ? "batch" : name.startsWith("val_") ? "validation" : "training");

/** A growing pair of float32 arrays. */
export function curve() {
  let x = new Float32Array(256), y = new Float32Array(256), n = 0;
  return {
    append(positions, values) {
      while (n + positions.length > x.length) {
        const longer = [new Float32Array(2 * x.length), new Float32Array(2 * x.length)];
        longer[0].set(x); longer[1].set(y);
        [x, y] = longer;
      }
      x.set(positions, n); y.set(values, n);
      n += positions.length;
    },
    get x() { return x.subarray(0, n); },
    get y() { return y.subarray(0, n); },
    get length() { return n; },
  };
}

/** Split a payload into curves: for each its positions, then its values. */
export function unpack(names, bytes) {
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  let at = 0;
  return names.map(([model, name, n]) => {
    const entry = { model, name, x: numbers.subarray(at, at + n), y: numbers.subarray(at + n, at + 2 * n) };
    at += 2 * n;
    return entry;
  });
}

/** Mean and standard deviation where at least two curves (x: whole epochs) have a value; x in order. */
export function spread(curves) {
  const at = new Map();
  for (const { x, y } of curves)
    x.forEach((epoch, i) => { if (Number.isFinite(y[i])) at.set(epoch, [...(at.get(epoch) || []), y[i]]); });
  return [...at].filter(([, values]) => values.length > 1).sort((a, b) => a[0] - b[0]).map(([epoch, values]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { x: epoch, mean, deviation: Math.sqrt(square / (values.length - 1)) };
  });
}

/** Exponential mean, without the pull towards its start. */
export function smoothed(values, weight) {
  if (!weight) return values;
  const out = new Float32Array(values.length);
  let sum = 0, norm = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) {
      sum = weight * sum + (1 - weight) * values[i];
      norm = weight * norm + (1 - weight);
    }
    out[i] = Number.isFinite(values[i]) ? sum / norm : NaN;
  }
  return out;
}

/** About `count` round numbers from low to high; on a logarithmic scale powers of ten, with 2 and 5 between if few. */
export function ticks(low, high, count, log) {
  const out = [];
  if (log) {
    const decades = Math.log10(high / low);
    const every = Math.max(1, Math.ceil(decades / count));
    const parts = decades < 1.2 ? [1, 2, 3, 4, 5, 6, 8] : decades < 3 ? [1, 2, 5] : [1];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
      if (power % every === 0) for (const part of parts) out.push(Number(`${part}e${power}`));
  } else {
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-12) + step * 1e-9; k++) out.push(k * step);
  }
  return out.filter((value) => value >= low - 1e-12 * Math.abs(low) && value <= high * (1 + 1e-9));
}

export function show(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : "infinite";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("-", "−");
}

const tickText = (value) => {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(0) : String(Number(value.toPrecision(6)));
  return text.replace("-", "−");
};

export function duration(seconds) {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Limits of the values worth seeing: every epoch, and single batches without their rarest spikes. */
export function limits(curves, log) {
  let low = Infinity, high = -Infinity;
  for (const [name, values] of curves) {
    let seen = Array.from(values).filter((value) => Number.isFinite(value) && (!log || value > 0));
    if (name === BATCH && seen.length > 20) {
      seen.sort((a, b) => a - b);
      seen = [seen[Math.floor(0.005 * seen.length)], seen[Math.floor(0.985 * seen.length)]];
    }
    for (const value of seen) { if (value < low) low = value; if (value > high) high = value; }
  }
  if (low > high) return null;
  if (log) { const pad = Math.max(1.08, (high / low) ** 0.06); return [low / pad, high * pad]; }
  const pad = Math.max(0.06 * (high - low), 0.02 * Math.abs(high), 1e-9);
  // Touching zero looks better than stopping just short of it.
  return [low >= 0 && low - pad < 0.15 * (high - low) ? 0 : low - pad, high + pad];
}

/** End of the axis: the plan, reached in doublings, so that the first epochs of many are not a sliver. */
export function horizon(last, planned) {
  if (!planned || last > planned) return last || 1;
  let end = planned;
  while (end / 2 >= last * 1.02 && end / 2 >= planned / 64) end /= 2;
  return end;
}
