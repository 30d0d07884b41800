// ---- the network and its training: twins of those in network.py, equal to the last bit ----

const TAYLOR = [];
for (let k = 10, factorial = 3628800; k >= 0; factorial /= k--) TAYLOR.push(1 / factorial);

function exponential(x) {
  const small = Math.min(Math.max(x, -40), 40) / 256;
  let power = TAYLOR[0];
  for (let k = 1; k < 11; k++) power = power * small + TAYLOR[k];
  for (let k = 0; k < 8; k++) power *= power;
  return power;
}

const sigmoid = (z) => 1 / (1 + exponential(-z));

function tanh(z) {
  const power = exponential(-2 * z);
  return (1 - power) / (1 + power);
}

// Name -> [function of z, slope from z and the output a].
const ACTIVATIONS = {
  linear: [(z) => z, () => 1],
  relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  leaky_relu: [(z) => (z > 0 ? z : 0.2 * z), (z) => (z > 0 ? 1 : 0.2)],
  elu: [(z) => (z > 0 ? z : exponential(z) - 1), (z, a) => (z > 0 ? 1 : a + 1)],
  tanh: [tanh, (z, a) => 1 - a * a],
  sigmoid: [sigmoid, (z, a) => a * (1 - a)],
};

const layerSizes = ({ features, layers }) => [features.length, ...layers, 1];
const lossKind = (settings) => (isRegression(settings) ? "mse" : settings.loss === "mse" ? "class_mse" : settings.loss);

// One flat array a layer: the biases first, then one row an input.
function initialWeights(settings) {
  const sizes = layerSizes(settings);
  return sizes.slice(1).map((nodes, layer) => {
    const inputs = sizes[layer], limit = Math.sqrt(6 / (inputs + nodes)), weights = new Float64Array((inputs + 1) * nodes);
    uniform(settings.seed, WEIGHTS + layer, inputs * nodes).forEach((value, at) => { weights[nodes + at] = (2 * value - 1) * limit; });
    return weights;
  });
}

// Fills before[layer] and after[layer] (arrays of numbers, one a node) for one point.
function forward(weights, input, start, before, after, activation) {
  let values = input, offset = start;
  for (let layer = 0; layer < weights.length; layer++) {
    const weight = weights[layer], out = before[layer], nodes = out.length, inputs = weight.length / nodes - 1;
    for (let node = 0; node < nodes; node++) {
      let sum = weight[node];
      for (let from = 0, at = nodes + node; from < inputs; from++, at += nodes) sum += values[offset + from] * weight[at];
      out[node] = sum;
      after[layer][node] = layer < weights.length - 1 ? activation(sum) : sum;
    }
    [values, offset] = [after[layer], 0];
  }
  return values[0];
}

function lossValue(output, target, kind) {
  if (kind === "cross_entropy") return Math.max(output, 0) - target * output + Math.log1p(Math.exp(-Math.abs(output)));
  return ((kind === "mse" ? output : sigmoid(output)) - target) ** 2;
}

function lossSlope(output, target, kind) {
  if (kind === "mse") return 2 * (output - target);
  const probability = sigmoid(output), slope = probability - target;
  return kind === "cross_entropy" ? slope : 2 * slope * (probability * (1 - probability));
}

function training(settings) {
  const { x, y, target } = makePoints(settings), kind = lossKind(settings), sizes = layerSizes(settings), width = sizes[0];
  const inputs = featureMatrix(settings.features, x, y), count = nTraining(settings), weights = initialWeights(settings);
  const [activation, slopeOf] = ACTIVATIONS[settings.activation], zeros = () => weights.map((layer) => new Float64Array(layer.length));
  const nodes = () => sizes.slice(1).map((size) => new Float64Array(size));
  const before = nodes(), after = nodes(), blames = nodes(), slopes = zeros(), first = zeros(), second = zeros();
  const { l1, l2, optimiser, learning_rate: rate, batch_size: size } = settings;
  let order = [], power1 = 1, power2 = 1;
  const now = { settings, x, y, target, count, weights, sizes, epoch: 0, batch: 0, diverged: false, trainingLoss: [], testLoss: [], trainingAccuracy: [], testAccuracy: [], step, run, evaluate, isNow, batchPoints: [] };

  function judge() {
    const loss = [0, 0], right = [0, 0], parts = [count, x.length - count];
    for (let at = 0; at < x.length; at++) {
      const output = forward(weights, inputs, at * width, before, after, activation), part = at < count ? 0 : 1;
      loss[part] += lossValue(output, target[at], kind);
      right[part] += output > 0 === target[at] > 0.5;
    }
    now.trainingLoss.push(loss[0] / parts[0]);
    now.testLoss.push(loss[1] / parts[1]);
    if (kind !== "mse") {
      now.trainingAccuracy.push(right[0] / parts[0]);
      now.testAccuracy.push(right[1] / parts[1]);
    }
    now.diverged = !Number.isFinite(now.trainingLoss.at(-1));
  }

  function backward(point, batch) {
    const start = point * width, output = forward(weights, inputs, start, before, after, activation);
    blames.at(-1)[0] = lossSlope(output, target[point], kind) / batch;
    for (let layer = weights.length - 1; layer >= 0; layer--) {
      const blame = blames[layer], slope = slopes[layer], weight = weights[layer], n = blame.length;
      const arriving = layer ? after[layer - 1] : inputs, offset = layer ? 0 : start, sources = sizes[layer];
      for (let node = 0; node < n; node++) slope[node] += blame[node];
      for (let from = 0, at = n; from < sources; from++) {
        const value = arriving[offset + from];
        let back = 0;
        for (let node = 0; node < n; node++, at++) {
          slope[at] += value * blame[node];
          back += blame[node] * weight[at];
        }
        if (layer) blames[layer - 1][from] = back * slopeOf(before[layer - 1][from], value);
      }
    }
  }

  function update() {
    let step = rate;
    if (optimiser === "adam") {
      power1 *= 0.9;
      power2 *= 0.999;
      step = (rate * Math.sqrt(1 - power2)) / (1 - power1);
    }
    weights.forEach((weight, layer) => {
      const slope = slopes[layer], m = first[layer], v = second[layer], n = sizes[layer + 1];
      for (let at = 0; at < weight.length; at++) {
        let g = slope[at];
        if (at >= n && (l1 || l2)) g += 2 * l2 * weight[at] + l1 * Math.sign(weight[at]);
        if (optimiser === "sgd") weight[at] -= step * g;
        else if (optimiser === "momentum") weight[at] += m[at] = 0.9 * m[at] - step * g;
        else if (optimiser === "rmsprop") {
          v[at] = 0.9 * v[at] + (1 - 0.9) * (g * g);
          weight[at] -= (step * g) / Math.sqrt(v[at] + 1e-7);
        } else {
          m[at] = 0.9 * m[at] + (1 - 0.9) * g;
          v[at] = 0.999 * v[at] + (1 - 0.999) * (g * g);
          weight[at] -= (step * m[at]) / (Math.sqrt(v[at]) + 1e-7);
        }
      }
    });
  }

  // One batch.
  function step() {
    if (now.diverged) return;
    if (now.batch === 0) {
      const keys = randomBits(settings.seed, BATCHES + now.epoch, count);
      order = Array.from(keys.keys()).sort((one, other) => keys[one] - keys[other]);
    }
    now.batchPoints = order.slice(now.batch * size, (now.batch + 1) * size);
    for (const slope of slopes) slope.fill(0);
    for (const point of now.batchPoints) backward(point, now.batchPoints.length);
    update();
    now.batch += 1;
    if (now.batch * size >= count) {
      [now.epoch, now.batch] = [now.epoch + 1, 0];
      judge();
    }
  }

  function isNow(epoch, batch) {
    return now.diverged || now.epoch > epoch || (now.epoch === epoch && now.batch >= batch);
  }

  // Until so many epochs and batches are done, or the time (ms) is over.
  function run(epoch, batch = 0, budget = Infinity) {
    const start = performance.now();
    while (!isNow(epoch, batch) && performance.now() - start < budget) step();
  }

  // The outputs of all nodes at many points: rows[layer][node][point].
  function evaluate(matrix, rows) {
    const points = matrix.length / width;
    for (let at = 0; at < points; at++) {
      forward(weights, matrix, at * width, before, after, activation);
      for (let layer = 0; layer < rows.length; layer++) for (let node = 0; node < rows[layer].length; node++) rows[layer][node][at] = after[layer][node];
    }
  }

  judge();
  return now;
}
