// ---- the model: pure functions, twins of those in differentiable_nodes.py ----

const nodeFunctions = {
  sigmoid: [(z) => 1 / (1 + Math.exp(-z)), (z) => Math.exp(-z) / (1 + Math.exp(-z)) ** 2],
  relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  step: [(z) => (z > 0 ? 1 : 0), () => 0],
};

function evaluate(parameters, activation, squashed) {
  const [value, slope] = nodeFunctions[activation], count = COURSE.points.length;
  const [a, c, v] = [0, 4, 8].map((start) => parameters.slice(start, start + 4)), d = parameters[12];
  const gradient = Array(13).fill(0), prediction = [];
  let loss = 0;
  COURSE.points.forEach((x, at) => {
    const inner = a.map((weight, node) => weight * x + c[node]), hidden = inner.map(value);
    const outer = hidden.reduce((sum, one, node) => sum + one * v[node], d), out = squashed ? value(outer) : outer;
    const error = out - COURSE.targets[at], toOuter = ((2 * error) / count) * (squashed ? slope(outer) : 1);
    prediction.push(out);
    loss += error ** 2 / count;
    hidden.forEach((one, node) => {
      const toInner = toOuter * v[node] * slope(inner[node]);
      gradient[node] += x * toInner;
      gradient[4 + node] += toInner;
      gradient[8 + node] += toOuter * one;
    });
    gradient[12] += toOuter;
  });
  return { prediction, loss, gradient };
}

// Steps are remembered, so that a slider moved by one costs one step.
const runs = {};

function train({ activation, squashed, steps }) {
  const run = (runs[activation + squashed] = runs[activation + squashed] || { parameters: [COURSE.first], results: [evaluate(COURSE.first, activation, squashed)] });
  for (let at = run.parameters.length; at <= steps; at++) {
    const { gradient } = run.results[at - 1];
    run.parameters[at] = run.parameters[at - 1].map((value, index) => value - COURSE.learningRate * gradient[index]);
    run.results[at] = evaluate(run.parameters[at], activation, squashed);
  }
  const { prediction, gradient } = run.results[steps];
  return { parameters: run.parameters[steps], gradient, losses: run.results.slice(0, steps + 1).map(({ loss }) => loss), prediction };
}

const nodesLabel = (name) => COURSE.activations.find(([value]) => value === name)[1];

function nodesSummary(state) {
  const { gradient, losses } = train(state), heard = gradient.slice(0, 8).filter((one) => Math.abs(one) > 1e-9).length;
  const when = state.steps === 0 ? "before the first step" : `after ${state.steps} steps`;
  return `With ${nodesLabel(state.activation)} nodes, ${heard} of 8 hidden parameters feel a gradient ${when}; ` +
    `the loss is ${(Math.floor(losses[state.steps] * 1000 + 0.5) / 1000).toFixed(3)}.`;
}

// ---- the view ----

export { train, nodesSummary };
export default explorable({
  summary: nodesSummary,
  predict: {
    question: "Step functions replace the sigmoids of the hidden nodes; the output stays linear. What does gradient descent still change?",
    options: ["everything, but slowly", "only the output weights", "nothing"],
    reveal: (guess) => `${guess === "only the output weights" ? "Right. " : ""}A small change of a hidden weight does not change a step, so its derivative is zero: only v and d, ` +
      "which come after the steps, hear from the loss. Put a step at the output too, and nothing moves at all.",
  },
  build(view) {
    const curve = axesPicture(view, { label: "function", x: { label: "x", low: -1, high: 1 }, y: { label: "f(x)", low: -0.5, high: 1.5 }, wide: 300, high: 240 });
    const bars = axesPicture(view, { label: "size of the gradient of each parameter", x: { label: "parameter", low: 0, high: 14, ticks: COURSE.names.map((name, at) => [at + 1, name]) },
      y: { label: "|∂L/∂θ|", low: 0 }, wide: 330, high: 240 });
    const losses = axesPicture(view, { label: "loss", x: { label: "step", low: 0, high: COURSE.mostSteps }, y: { label: "mean squared error", low: 0, high: 0.5 }, wide: 270, high: 240 });
    view.stage(...[curve, bars, losses].map(({ panel }) => view.veil(element("div", {}, panel))));
    view.controls(
      view.segments({ field: "activation", label: "hidden nodes", options: COURSE.activations }),
      view.toggle({ field: "squashed", label: "the same function at the output" }),
      view.slider({ field: "steps", label: "steps", max: COURSE.mostSteps }),
      view.player({ field: "steps", max: () => COURSE.mostSteps, interval: () => 30 }),
      view.resetButton());
    view.draw((state) => {
      const now = train(state), palette = COURSE.palette, size = now.gradient.map(Math.abs);
      curve.paint({ layers: [
        { points: COURSE.points.map((x, at) => [x, COURSE.targets[at]]), colour: palette.reference, size: 3, name: "target" },
        { line: COURSE.points.map((x, at) => [x, now.prediction[at]]), colour: palette.training, width: 2.5, name: "network" },
      ] });
      bars.paint({
        y: { high: Math.max(0.02, 1.15 * Math.max(...size)) },
        layers: [
          { bars: size.slice(0, 8).map((one, at) => [at + 1, one]), width: 0.7, colour: palette.signal, name: "hidden nodes" },
          { bars: size.slice(8).map((one, at) => [at + 9, one]), width: 0.7, colour: palette.test, name: "output node" },
        ],
        describe: size.map((one, at) => `${COURSE.names[at]} ${one.toFixed(3)}`).join(", "),
      });
      losses.paint({ layers: [
        { line: now.losses.map((loss, at) => [at, loss]), colour: palette.training, width: 2.5 },
        { points: [[state.steps, now.losses[state.steps]]], colour: palette.highlight, size: 5 },
      ] });
    });
  },
});
