// ---- the model: pure functions, twins of those in shortcut_budget.py ----

const drawnWeights = {};

function weightsOf(kind, seed) {
  const joined = kind === "concatenate", key = joined + " " + seed;
  if (drawnWeights[key]) return drawnWeights[key];
  return (drawnWeights[key] = Array.from({ length: COURSE.most }, (_, layer) => {
    const inputs = joined ? COURSE.width + COURSE.growth * layer : COURSE.width, outputs = joined ? COURSE.growth : COURSE.width;
    const drawn = normal(seed, COURSE.streams[joined ? 1 : 0] + layer, inputs * outputs), size = Math.sqrt(inputs);
    return Array.from({ length: outputs }, (_, row) => drawn.slice(row * inputs, (row + 1) * inputs).map((value) => value / size));
  }));
}

function gradientNorms(kind, layers, seed) {
  const weights = weightsOf(kind, seed).slice(0, layers), masks = [], joined = kind === "concatenate";
  let values = normal(seed, COURSE.streams[2], COURSE.width);
  for (const matrix of weights) {
    const inner = matrix.map((row) => row.reduce((sum, weight, at) => sum + weight * values[at], 0));
    masks.push(inner.map((value) => value > 0));
    const active = inner.map((value) => Math.max(value, 0));
    values = joined ? [...values, ...active] : kind === "add" ? values.map((value, at) => value + COURSE.branch * active[at]) : active;
  }
  const total = values.length, norms = [];
  let gradient = values.map(() => 1 / Math.sqrt(total));
  for (let layer = layers - 1; layer >= 0; layer--) {
    const matrix = weights[layer], inputs = matrix[0].length, above = joined ? gradient.slice(inputs) : gradient;
    const back = Array(inputs).fill(0);
    matrix.forEach((row, at) => { if (masks[layer][at]) row.forEach((weight, place) => { back[place] += weight * above[at]; }); });
    if (kind === "none") gradient = back;
    else gradient = back.map((value, at) => gradient[at] + (joined ? 1 : COURSE.branch) * value);
    const newest = joined ? gradient.slice(-COURSE.growth) : gradient;
    norms.unshift(Math.hypot(...newest) * (joined ? Math.sqrt(total / newest.length) : 1));
  }
  return norms;
}

function storedValues(kind, layers) {
  const { width, growth } = COURSE;
  return kind === "concatenate" ? layers * (width + growth) + (growth * layers * (layers - 1)) / 2 : 2 * width * layers;
}

function exponentText(value) {
  if (value === 0) return "0";
  if (value >= 0.01 && value < 1000) return String(Math.floor(value * 10 + 0.5) / 10);
  const power = Math.floor(Math.log10(value));
  return `${Math.floor(value / 10 ** power + 0.5)}e${power}`.replace("-", "−");
}

function shortcutSummary({ kind, n_layers, seed }) {
  const label = { none: "Without shortcuts", add: "With addition", concatenate: "With concatenation" }[kind];
  return `${label} and ${n_layers} layers, a gradient of length 1 reaches the first layer with ${exponentText(gradientNorms(kind, n_layers, seed)[0])}; ` +
    `the backward pass keeps ${storedValues(kind, n_layers)} numbers an event.`;
}

// ---- the view ----

export { gradientNorms, storedValues, shortcutSummary };
export default explorable({
  summary: shortcutSummary,
  predict: {
    question: "Twice as many layers, all outputs concatenated. The memory that the backward pass needs grows by about ...",
    options: ["a factor 2", "a factor 4", "a factor 8"],
    reveal: (guess) => `${guess === "a factor 4" ? "Right. " : ""}Every layer reads all earlier ones, so its input is longer the deeper it lies: ${storedValues("concatenate", 50)} numbers at 50 layers, ` +
      `${storedValues("concatenate", 100)} at 100. Addition keeps the width, and costs ${storedValues("add", 50)} and ${storedValues("add", 100)}.`,
  },
  build(view) {
    const gradients = axesPicture(view, { label: "gradient with respect to what enters each layer", x: { label: "layer", low: 1 }, y: { label: "norm of the gradient", log: true }, wide: 440, high: 280 });
    const memory = axesPicture(view, { label: "memory", x: { label: "number of layers", low: 2, high: COURSE.most }, y: { label: "numbers kept an event", low: 0 }, wide: 400, high: 280 });
    view.stage(view.veil(element("div", {}, gradients.panel)), view.veil(element("div", {}, memory.panel)));
    view.controls(view.segments({ field: "kind", label: "shortcut", options: COURSE.kinds }),
      view.slider({ field: "n_layers", label: "layers", min: 2, max: COURSE.most }), view.slider({ field: "seed", label: "random weights", max: 99 }), view.resetButton());
    const colours = { none: COURSE.palette.negative, add: COURSE.palette.training, concatenate: COURSE.palette.test };
    view.draw(({ kind, n_layers, seed }) => {
      const all = COURSE.kinds.map(([name, label]) => [name, label, gradientNorms(name, n_layers, seed)]);
      const low = Math.max(1e-30, Math.min(0.1, ...all.flatMap(([, , norms]) => norms.filter((value) => value > 0))));
      const strong = (name) => ({ colour: colours[name], width: name === kind ? 3.5 : 1.5, dim: name === kind ? 1 : 0.55, dash: name === "none" ? [] : name === "add" ? [7, 4] : [2, 3] });
      gradients.paint({
        x: { high: n_layers }, y: { low: low / 3, high: Math.max(10, 3 * Math.max(...all.flatMap(([, , norms]) => norms))) },
        layers: all.map(([name, label, norms]) => ({ line: norms.map((value, at) => [at + 1, Math.max(value, low / 10)]), name: label, ...strong(name) })),
        describe: all.map(([, label, norms]) => `${label}: ${exponentText(norms[0])} at the first layer`).join("; "),
      });
      const depths = Array.from({ length: COURSE.most / 2 }, (_, at) => 2 * at + 2);
      memory.paint({
        y: { high: 1.05 * storedValues("concatenate", COURSE.most) },
        layers: [
          ...COURSE.kinds.map(([name]) => ({ line: depths.map((depth) => [depth, storedValues(name, depth)]), ...strong(name) })),
          { points: [[n_layers, storedValues(kind, n_layers)]], colour: COURSE.palette.highlight, size: 6 },
        ],
      });
    });
  },
});
