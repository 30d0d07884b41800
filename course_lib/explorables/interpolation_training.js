// ---- the model: pure functions, twins of those in interpolation_training.py ----

// Park and Miller's generator (exact in floating point), scaled to -1 ... 1.
function randomWeights(seed) {
  let state = ((seed + 1) * 1000003) % 2147483647;
  return () => (state = (state * 16807) % 2147483647) / 2 ** 30 - 1;
}

const curve = (x) => (Math.sqrt(Math.abs(x)) + 0.1 * x + 0.01 * x * x + 1 - Math.sin(x) + 0.5 * Math.exp(x / 10)) / (0.5 + Math.abs(Math.cos(x)));

function dataPoints(count) {
  const draw = randomWeights(24);
  return Array.from({ length: count }, (_, index) => {
    const x = -10 + (20 * index) / (count - 1);
    return [x, curve(x) + COURSE.noise * (draw() + draw() + draw())];
  });
}

const parameterCount = ({ width, depth }) => 2 * width + (depth - 1) * (width + 1) * width + width + 1;
const PLACES = Array.from({ length: COURSE.nPlaces }, (_, index) => -10 + (20 * index) / (COURSE.nPlaces - 1));

// A training that goes on when it is asked to: advance() takes one step, one pass over all points.
function makeTraining({ seed, width, depth, n_points, activation }) {
  const sizes = [1, ...Array(depth).fill(width), 1], draw = randomWeights(seed), tanh = activation === "tanh";
  const zeros = (length) => new Float64Array(length);
  const weights = sizes.slice(1).map((out, at) => zeros(sizes[at] * out).map(() => draw() * Math.sqrt((tanh ? 3 : 6) / sizes[at])));
  const biases = sizes.slice(1).map((out, at) => (at ? zeros(out) : zeros(out).map(() => draw())));
  const parameters = [...weights, ...biases], [gradients, first, second] = [0, 0, 0].map(() => parameters.map((values) => zeros(values.length)));
  const layers = sizes.map(zeros), signals = sizes.map(zeros), points = dataPoints(n_points);
  const run = { points, losses: [], predictions: [], epoch: -1 };

  function output(x) {
    layers[0][0] = x / 5;
    for (let at = 0; at <= depth; at++) {
      const inputs = layers[at], outputs = layers[at + 1], matrix = weights[at], many = outputs.length;
      outputs.set(biases[at]);
      for (let i = 0; i < inputs.length; i++) for (let j = 0, value = inputs[i], row = i * many; j < many; j++) outputs[j] += value * matrix[row + j];
      if (at < depth) for (let j = 0; j < many; j++) outputs[j] = tanh ? Math.tanh(outputs[j]) : Math.max(outputs[j], 0);
    }
    return layers[depth + 1][0];
  }

  function backward(residual) {
    signals[depth + 1][0] = (2 * residual) / n_points;
    for (let at = depth; at >= 0; at--) {
      const inputs = layers[at], signal = signals[at + 1], before = signals[at], matrix = weights[at], slope = gradients[at], shift = gradients[depth + 1 + at];
      for (let j = 0; j < signal.length; j++) shift[j] += signal[j];
      for (let i = 0; i < inputs.length; i++) {
        let sum = 0;
        for (let j = 0, row = i * signal.length; j < signal.length; j++) {
          slope[row + j] += inputs[i] * signal[j];
          sum += matrix[row + j] * signal[j];
        }
        before[i] = sum * (tanh ? 1 - inputs[i] ** 2 : Number(inputs[i] > 0));
      }
    }
  }

  function adam(step) {
    const [early, late] = [1 - 0.9 ** step, 1 - 0.999 ** step];
    parameters.forEach((values, at) => {
      const slope = gradients[at], mean = first[at], square = second[at];
      for (let i = 0; i < values.length; i++) {
        mean[i] += 0.1 * (slope[i] - mean[i]);
        square[i] += 0.001 * (slope[i] ** 2 - square[i]);
        values[i] -= (0.01 * mean[i]) / early / (Math.sqrt(square[i] / late) + 1e-7);
      }
    });
  }

  run.predict = () => PLACES.map(output);
  run.advance = () => {
    if (run.epoch >= 0) adam(run.epoch + 1);
    run.epoch += 1;
    if (run.epoch % COURSE.stride === 0) run.predictions.push(run.predict());
    gradients.forEach((slope) => slope.fill(0));
    let sum = 0;
    for (const [x, y] of points) {
      const residual = output(x) - y;
      sum += residual ** 2;
      backward(residual);
    }
    run.losses.push(sum / n_points);
  };
  return run;
}

// The last few trainings are kept: who comes back to a setting need not wait.
const trainings = new Map();
function trainingOf({ seed, width, depth, n_points, activation }) {
  const key = JSON.stringify([seed, width, depth, n_points, activation]);
  const run = trainings.get(key) || makeTraining({ seed, width, depth, n_points, activation });
  trainings.delete(key);
  trainings.set(key, run);
  if (trainings.size > 24) trainings.delete(trainings.keys().next().value);
  return run;
}

function trained(state, epochs) {
  const run = trainingOf(state);
  while (run.epoch < epochs) run.advance();
  return run;
}

function history(state) {
  const { points, losses, predictions } = trained(state, COURSE.nEpochs);
  return { points, losses, predictions };
}

function trainingSummary(state) {
  const epoch = state.snapshot * COURSE.stride;
  // A view trains a little in each frame; the summary must not hold the page up.
  if (trainingOf(state).watched && trainingOf(state).epoch < COURSE.nEpochs) return `The network is being trained for ${COURSE.nEpochs} epochs.`;
  const { losses } = trained(state, epoch);
  return `After ${epoch} of ${COURSE.nEpochs} epochs the mean squared residual of ${state.n_points} points is ${show(losses[epoch])}, ` +
    `from ${show(losses[0])} at the random start of ${parameterCount(state)} parameters.`;
}

// ---- the view ----

export { dataPoints, history, parameterCount, trainingSummary };
export default explorable({
  summary: trainingSummary,
  predict: {
    question: "The objective starts near 20. After how many epochs will it have fallen below 0.5?",
    options: ["about 10", "about 60", "about 300", "more than 800"],
    reveal(guess, opening) {
      const run = trainingOf(opening), reached = run.losses.findIndex((loss) => loss < 0.5);
      if (reached < 0) return run.epoch < COURSE.nEpochs ? "The training runs: watch the curve." : `Not within ${COURSE.nEpochs} epochs.`;
      return `It took ${reached} epochs. The coarse shape comes at once, the peaks need hundreds of epochs; another seed takes another path.`;
    },
  },
  build(view) {
    const fit = axesPicture(view, { label: "data and prediction", x: { label: "x", low: -10, high: 10 }, y: { label: "f", low: -1, high: 13 }, wide: 430, high: 300 });
    const objective = axesPicture(view, {
      label: "objective", x: { label: "epoch", low: 0, high: COURSE.nEpochs }, y: { label: "mean squared residual", low: 0.01, high: 100, log: true }, wide: 335, high: 300,
      pick: (x) => view.set({ snapshot: Math.round(x / COURSE.stride) }),
    });
    const chips = ["epoch", "objective L", "parameters"].map((label) => view.chip(label));
    view.stage(fit.panel, view.veil(element("div", {}, objective.panel)));
    view.note(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node)));
    view.controls(
      view.player({ field: "snapshot", max: () => COURSE.nEpochs / COURSE.stride }),
      view.slider({ field: "snapshot", label: "epoch", max: COURSE.nEpochs / COURSE.stride, write: (value) => value * COURSE.stride }),
      view.toggle({ field: "compare", label: "compare 50, 100, 200, 800" }),
      element("i"),
      view.button("New random start", () => view.set({ seed: (view.state.seed + 1) % 100 }), "Other initial weights, same data"),
      view.slider({ field: "width", label: "nodes a layer", min: 1, max: 60 }),
      view.slider({ field: "depth", label: "hidden layers", min: 1, max: 4 }),
      view.slider({ field: "n_points", label: "data points", min: 10, max: 120, step: 10 }),
      view.segments({ field: "activation", label: "activation", options: [["tanh", "tanh"], ["relu", "ReLU"]] }),
      view.resetButton());
    view.draw((state) => {
      const run = trainingOf(state), start = performance.now();
      run.watched = true;
      while (run.epoch < COURSE.nEpochs && performance.now() - start < 11) run.advance();
      const running = run.epoch < COURSE.nEpochs;
      if (running) view.redraw();
      const epoch = running ? run.epoch : state.snapshot * COURSE.stride;
      const now = running ? run.predict() : run.predictions[state.snapshot];
      const line = (values) => values.map((value, at) => [PLACES[at], value]);
      const compared = state.compare && !running
        ? COURSE.compared.map((after, at) => ({ line: line(run.predictions[after / COURSE.stride]), colour: COURSE.sequence[at], dash: after < COURSE.nEpochs ? [5, 3] : undefined, name: `${after} epochs` }))
        : [{ line: line(now), colour: COURSE.palette.training, width: 2.5, name: `prediction after ${epoch} epochs` }];
      fit.paint({ layers: [{ points: run.points, colour: COURSE.palette.background, size: 3, name: "data" }, ...compared] });
      objective.paint({
        layers: [
          { line: run.losses.map((loss, at) => [at, loss]), colour: COURSE.palette.training },
          { vertical: epoch, colour: COURSE.palette.highlight, width: 3 },
        ],
        title: running ? `objective, training runs: epoch ${epoch}` : "objective (click for another epoch)",
      });
      chips[0].write(String(epoch), "passes through all data");
      chips[1].write(view.pending() ? "?" : show(run.losses[epoch]), "mean of the squared residuals");
      chips[2].write(String(parameterCount(state)), `1 – ${Array(state.depth).fill(state.width).join(" – ")} – 1 nodes`);
    });
  },
});
