// ---- the model: pure functions, twins of those in moment_map.py ----

function activate(y, { activation, alpha, scale }) {
  if (activation === "relu") return Math.max(y, 0);
  if (activation === "tanh") return Math.tanh(y);
  return scale * (y > 0 ? y : alpha * Math.expm1(y));
}

// Simpson's rule on each side of zero, where the activation may have a kink.
function momentMap([mean, variance], state) {
  const spread = Math.sqrt(state.weight_variance * (variance + mean ** 2)), { reach, steps } = COURSE;
  let first = 0, second = 0;
  for (const low of [-reach, 0]) {
    for (let at = 0; at <= steps; at++) {
      const u = low + (reach * at) / steps, weight = at % steps === 0 ? 1 : at % 2 ? 4 : 2;
      const density = (weight * Math.exp(-(u ** 2) / 2) * (reach / steps / 3)) / Math.sqrt(2 * Math.PI);
      const value = activate(spread * u, state);
      first += density * value;
      second += density * value ** 2;
    }
  }
  return [first, Math.max(second - first ** 2, 0)];
}

function momentPath(state) {
  const path = [[state.mean, state.variance]];
  for (let layer = 0; layer < state.n_layers; layer++) path.push(momentMap(path[layer], state));
  return path;
}

function momentSummary(state) {
  const path = momentPath(state), [mean, variance] = path[state.n_layers];
  const layers = state.n_layers === 1 ? "1 layer" : `${state.n_layers} layers`;
  return `From mean ${show(state.mean)} and variance ${show(state.variance)} the activations come to mean ${show(mean)} and variance ${show(variance)} after ${layers}.`;
}

// ---- the view ----

export { activate, momentPath };
export default explorable({
  summary: momentSummary,
  predict: {
    question: (opening) => `The input has variance ${show(opening.variance)}. What is the variance after ${opening.n_layers} layers of SELU?`,
    options: ["below 0.1", "close to 1", "above 10"],
    reveal(guess, opening) {
      const variance = momentPath(opening)[opening.n_layers][1];
      const right = variance < 0.1 ? "below 0.1" : variance > 10 ? "above 10" : "close to 1";
      return `${guess === right ? "Right. " : ""}It is ${show(variance)}: too large a variance is lowered by the flat side of the curve, too small a one is raised by the slope above 1. Drag the start elsewhere.`;
    },
  },
  build(view) {
    const curve = axesPicture(view, {
      label: "activation", wide: 250, high: 270, x: { label: "y", low: -4, high: 4, ticks: [-4, -2, 0, 2, 4].map((value) => [value, show(value)]) }, y: { label: "σ(y)", low: -2.6, high: 4.2 },
    });
    const place = (mean, variance) => view.set({
      mean: Math.max(-1, Math.min(1, Math.round(mean * 50) / 50)), variance: Math.max(0.05, Math.min(6, Math.round(variance * 20) / 20)),
    });
    const plane = axesPicture(view, {
      label: "drag the start: mean and variance, layer by layer", wide: 330, high: 270,
      x: { label: "mean μ", low: -1.05, high: 1.55 }, y: { label: "variance ν", low: 0.04, high: 8, log: true },
      pick: (mean, variance) => place(mean, variance),
      walk: (dx, dy) => place(view.state.mean + 0.1 * dx, view.state.variance * 1.2 ** dy),
    });
    const layers = axesPicture(view, { label: "along the network", wide: 290, high: 270, x: { label: "layer", low: 0 }, y: { label: "mean, variance" } });
    const chips = [view.chip("variance at the end"), view.chip("mean at the end")];
    view.stage(curve.panel, view.veil(element("div", {}, plane.panel)), view.veil(element("div", {}, layers.panel)));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    const fixed = (state) => state.activation !== "exponential";
    view.controls(
      view.choice({
        label: "preset",
        options: [[-1, "your own"], ...COURSE.presets.map(({ label }, index) => [index, label])],
        apply: (index) => COURSE.presets[index]?.state || {},
        current: (state) => COURSE.presets.findIndex((entry) => Object.entries(entry.state).every(([name, value]) => state[name] === value)),
      }),
      view.choice({ field: "activation", label: "activation σ", options: COURSE.activations }),
      view.slider({ field: "alpha", label: "α, depth of the negative side", min: 0.2, max: 3, step: 0.05, off: fixed }),
      view.slider({ field: "scale", label: "λ, factor", min: 0.7, max: 1.4, step: 0.01, off: fixed }),
      view.slider({ field: "weight_variance", label: "n · variance of the weights", min: 0.5, max: 2.5, step: 0.1 }),
      view.slider({ field: "mean", label: "start: mean μ", min: -1, max: 1, step: 0.02 }),
      view.slider({ field: "variance", label: "start: variance ν", min: 0.05, max: 6, step: 0.05 }),
      view.slider({ field: "n_layers", label: "layers", min: 1, max: 40 }),
      view.resetButton());
    view.draw((state) => {
      const path = momentPath(state), [mean, variance] = path[state.n_layers], { training, validation, reference, highlight } = COURSE.palette;
      const places = Array.from({ length: 161 }, (_, at) => -4 + at / 20);
      curve.paint({
        layers: [
          { vertical: 0, colour: reference, dim: 0.4 }, { horizontal: 0, colour: reference, dim: 0.4 },
          { line: [[-4, -4], [4, 4]], colour: reference, dash: [3, 4], name: "slope 1" },
          { line: places.map((y) => [y, activate(y, state)]), colour: training, width: 2.5, name: "σ(y)" },
        ],
        describe: COURSE.activations.find(([name]) => name === state.activation)[1],
      });
      plane.paint({
        layers: [
          { points: [[0, 1]], shape: "square", size: 7, colour: highlight, name: "mean 0, variance 1" },
          { line: path, colour: training, width: 1.2 },
          { points: path, size: 3, colour: training, name: "after each layer" },
          { points: [path[0]], size: 7, colour: validation, name: "start" },
        ],
        describe: path.slice(0, 4).map((moments) => moments.map(show).join(", ")).join("; "),
      });
      layers.paint({
        layers: [
          { horizontal: 1, colour: reference, dash: [2, 3] }, { horizontal: 0, colour: reference, dash: [2, 3] },
          { line: path.map(([, value], layer) => [layer, value]), colour: training, name: "variance" },
          { line: path.map(([value], layer) => [layer, value]), colour: validation, dash: [7, 4], name: "mean" },
        ],
        x: { high: state.n_layers },
        y: { low: Math.min(-0.3, ...path.map(([value]) => value)), high: Math.max(1.3, ...path.map((moments) => Math.max(...moments))) * 1.05 },
        describe: `variance ${show(variance)} at the end`,
      });
      const verdict = variance > 1.5 * path[Math.max(0, state.n_layers - 5)][1] ? "still growing" : variance < 0.1 ? "dying out" : Math.abs(variance - 1) < 0.05 ? "normalised" : "";
      chips[0].write(show(variance), verdict);
      chips[1].write(show(mean));
    });
  },
});
