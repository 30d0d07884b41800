// ---- random numbers, data and features: twins of those in data.py ----

const HALF_WIDTH = 6;

function mixed(bits) {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function randomBits(seed, stream, count) {
  const start = mixed(mixed(seed) + stream);
  return Uint32Array.from({ length: count }, (_, index) => mixed(start + Math.imul(index + 1, 0x9e3779b9)));
}

const uniform = (seed, stream, count) => Float64Array.from(randomBits(seed, stream, count), (bits) => bits / 2 ** 32);

// Libraries differ in the last digit of a sine; what depends on one is rounded to 24 binary places.
const rounded = (value) => Math.floor(value * 2 ** 24 + 0.5) / 2 ** 24;

function normal(seed, stream, count) {
  const turns = uniform(seed, stream + 1, count);
  return Float64Array.from(randomBits(seed, stream, count), (bits, at) =>
    rounded(Math.sqrt(-2 * Math.log((bits + 1) / 2 ** 32)) * Math.cos(2 * Math.PI * turns[at])));
}

const [COORDINATES, NOISE, WEIGHTS, BATCHES] = COURSE.streams;
const nTraining = ({ n_points, train_share }) => Math.floor(n_points * train_share + 0.5);

function curve(place) {
  const x = place / 0.6;
  const above = Math.sqrt(Math.abs(x)) + 0.1 * x + 0.01 * x * x + 1 - Math.sin(x) + 0.5 * Math.exp(x / 10);
  return (above / (0.5 + Math.abs(Math.cos(x))) - 4) / 2;
}

function hills(x, y) {
  let height = 0;
  for (let k = 0; k < 6; k++) {
    const angle = (Math.PI * k) / 3, away = (x - 3.5 * Math.cos(angle)) ** 2 + (y - 3.5 * Math.sin(angle)) ** 2;
    height += (k % 2 ? -1 : 1) * Math.exp(-away / (2 * 1.4 ** 2));
  }
  return height;
}

const TRUTH = { interpolation: curve, plane: (x, y) => (x + y) / 10, hills };
const isRegression = ({ dataset }) => dataset in TRUTH;

// -> {x, y, target}: the first nTraining(settings) points train, the others test.
function makePoints(settings) {
  const { dataset, noise, n_points: count, data_seed: seed } = settings;
  const x = new Float64Array(count), y = new Float64Array(count), target = new Float64Array(count);
  const first = uniform(seed, COORDINATES, count), second = uniform(seed, COORDINATES + 1, count);
  const away = [0, 1].map((place) => uniform(seed, NOISE + place, count));
  const shifts = [normal(seed, NOISE, count), normal(seed, NOISE + 2, count)];
  const place = (at, left, up) => [left, up].map((value) => Math.max(-HALF_WIDTH, Math.min(HALF_WIDTH, rounded(value)))).forEach((value, axis) => { (axis ? y : x)[at] = value; });
  for (let at = 0; at < count; at++) {
    const label = at % 2, sign = 1 - 2 * label, [right, up] = [shifts[0][at], shifts[1][at]];
    target[at] = label;
    if (dataset === "checkerboard") {
      const [left, high] = [first, second].map((values) => (2 * values[at] - 1) * 5).map((value) => value + (value < 0 ? -0.3 : 0.3));
      place(at, left, high);
      target[at] = Number((left + (2 * away[0][at] - 1) * 5 * noise) * (high + (2 * away[1][at] - 1) * 5 * noise) > 0);
    } else if (dataset === "two_moons") {
      const angle = Math.PI * first[at], spread = 0.5 * noise;
      place(at, 3.5 * (label + sign * Math.cos(angle) - 0.5 + spread * right), 3.5 * (0.5 * label + sign * Math.sin(angle) - 0.25 + spread * up));
    } else if (dataset === "clusters") {
      const centre = 2.5 * (2 * label - 1), spread = 0.5 + 4 * noise;
      place(at, centre + spread * right, centre + spread * up);
    } else if (dataset === "circles" || dataset === "spirals") {
      const ring = dataset === "circles", radius = ring ? 1 - 0.5 * label : Math.sqrt(first[at]), spread = (ring ? 0.5 : 0.25) * noise;
      const angle = ring ? 2 * Math.PI * first[at] : 3.5 * Math.PI * radius + Math.PI * label;
      place(at, 5 * (radius * Math.cos(angle) + spread * right), 5 * (radius * Math.sin(angle) + spread * up));
    } else {
      const left = (2 * first[at] - 1) * HALF_WIDTH, high = dataset === "interpolation" ? 0 : (2 * second[at] - 1) * HALF_WIDTH;
      place(at, left, high);
      target[at] = rounded(TRUTH[dataset](left, high) + noise * right);
    }
  }
  return { x, y, target };
}

const FEATURES = {
  x: (x) => x, y: (x, y) => y, x2: (x) => x * x, y2: (x, y) => y * y, xy: (x, y) => x * y,
  sin_x: (x) => rounded(Math.sin(x)), sin_y: (x, y) => rounded(Math.sin(y)),
};

// Row by row: the features of the first point, those of the second, ...
function featureMatrix(names, x, y) {
  const matrix = new Float64Array(x.length * names.length);
  for (let at = 0, place = 0; at < x.length; at++) for (const name of names) matrix[place++] = FEATURES[name](x[at], y[at]);
  return matrix;
}
