// ---- the model: pure functions, twins of those in deep_network.py ----

const [seluAlpha, seluLambda] = COURSE.selu;
const sigmaOf = {
  sigmoid: [(y) => 1 / (1 + Math.exp(-y)), (y) => 0.5 / (1 + Math.cosh(y))],
  tanh: [Math.tanh, (y) => 1 - Math.tanh(y) ** 2],
  relu: [(y) => Math.max(y, 0), (y) => (y > 0 ? 1 : 0)],
  selu: [(y) => seluLambda * (y > 0 ? y : seluAlpha * Math.expm1(y)), (y) => seluLambda * (y > 0 ? 1 : seluAlpha * Math.exp(y))],
};

// Park and Miller's generator, scaled to mean 0 and variance 1.
function randomNumbers(seed) {
  let state = ((seed + 1) * 1000003) % 2147483647;
  return () => Math.sqrt(3) * ((state = (state * 16807) % 2147483647) / 2 ** 30 - 1);
}

const table = (rows, cols, make) => Array.from({ length: rows }, (_, row) => Float64Array.from({ length: cols }, (_, col) => make(row, col)));
const product = (a, b) => table(a.length, b[0].length, (row, col) => {
  let sum = 0;
  for (let at = 0; at < b.length; at++) sum += a[row][at] * b[at][col];
  return sum;
});
const transposed = (a) => table(a[0].length, a.length, (row, col) => a[col][row]);
const combined = (a, b, rule) => table(a.length, a[0].length, (row, col) => rule(a[row][col], b[row][col], col));
const columnMeans = (a) => transposed(a).map((column) => column.reduce((sum, value) => sum + value, 0) / a.length);

function deepPass(state) {
  const { n_layers: nLayers, width, activation, weight_scale: scale, shortcut, branch_scale: branch, batch_norm: norm } = state;
  const draw = randomNumbers(state.seed), [sigma, slope] = sigmaOf[activation];
  const inputs = table(COURSE.samples, width, draw), factors = table(COURSE.samples, width, draw);
  const matrices = Array.from({ length: nLayers }, () => table(width, width, () => draw() * scale / Math.sqrt(width)));
  const outputs = [inputs], before = [], spreads = [], normalised = [];
  matrices.forEach((matrix, layer) => {
    let value = product(outputs[layer], matrix);
    if (norm) {
      const means = columnMeans(value);
      const variances = columnMeans(table(value.length, width, (row, col) => (value[row][col] - means[col]) ** 2));
      const spread = variances.map((variance) => Math.sqrt(variance + COURSE.epsilon));
      value = table(value.length, width, (row, col) => (value[row][col] - means[col]) / spread[col]);
      spreads.push(spread);
      normalised.push(value);
    }
    if (shortcut && layer % 2) value = combined(value, outputs[layer - 1], (delta, past) => branch * delta + past);
    before.push(value);
    outputs.push(value.map((row) => row.map(sigma)));
  });
  const count = COURSE.samples * width, arriving = outputs.map(() => table(COURSE.samples, width, () => 0)), gradients = [];
  arriving[nLayers] = factors.map((row) => row.map((factor) => factor / count));
  for (let layer = nLayers - 1; layer >= 0; layer--) {
    let delta = combined(arriving[layer + 1], before[layer], (arrives, y) => arrives * slope(y));
    if (shortcut && layer % 2) {
      arriving[layer - 1] = combined(arriving[layer - 1], delta, (old, more) => old + more);
      delta = delta.map((row) => row.map((value) => branch * value));
    }
    if (norm) {
      const along = columnMeans(combined(delta, normalised[layer], (a, b) => a * b)), mean = columnMeans(delta);
      delta = combined(delta, normalised[layer], (a, b, col) => (a - mean[col] - b * along[col]) / spreads[layer][col]);
    }
    gradients[layer] = product(transposed(outputs[layer]), delta);
    arriving[layer] = combined(arriving[layer], product(delta, transposed(matrices[layer])), (old, more) => old + more);
  }
  return { outputs, matrices, norms: gradients.map((rows) => Math.sqrt(rows.reduce((sum, row) => sum + row.reduce((part, g) => part + g * g, 0), 0) / width ** 2)) };
}

const plainPass = (state) => {
  const { outputs, norms } = deepPass(state);
  return { norms, outputs: outputs.map((rows) => rows.map((row) => [...row])) };
};

const parameterCount = ({ n_layers: nLayers, width }) => nLayers * (width + 1) * width;

function powerOf(value) {
  if (value === 0) return "0";
  let exponent = Math.floor(Math.log10(value)), digit = Math.floor(value / 10 ** exponent + 0.5);
  if (digit === 10) [exponent, digit] = [exponent + 1, 1];
  const raised = String(exponent).replace(/./g, (sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]));
  return exponent ? `${digit}·10${raised}` : String(digit);
}

function deepSummary(state) {
  const { norms } = deepPass(state);
  return `${state.n_layers} layers of ${state.width} nodes have ${parameterCount(state)} parameters; the weight gradient of the first layer is ${powerOf(norms[0])}, that of the last ${powerOf(norms[norms.length - 1])}.`;
}

// ---- the view ----

// Columns of nodes; the links of the node under the pointer are lit, coloured by the sign of their weight.
function networkPicture(view) {
  const label = "answers to one sample; point at a node to see its links";
  const canvas = element("canvas", { role: "img", "aria-label": label, tabindex: 0 }), pen = canvas.getContext("2d");
  const caption = element("figcaption", {}, label), high = 176;
  let node = { layer: 3, index: 4 }, wide = 900;
  const place = (state, layer, index) => [22 + (layer * (wide - 44)) / state.n_layers, 12 + ((index + 0.5) * (high - 24)) / state.width];
  const nearest = (share, count) => Math.max(0, Math.min(count, Math.round(share)));
  const light = (layer, index) => {
    node = { layer: nearest(layer, view.state.n_layers), index: nearest(index, view.state.width - 1) };
    view.redraw();
  };
  canvas.addEventListener("pointermove", (event) => {
    light(((event.offsetX - 22) / (wide - 44)) * view.state.n_layers, ((event.offsetY - 12) / (high - 24)) * view.state.width - 0.5);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    light(node.layer + step[0], node.index + step[1]);
  });
  function paint(state, { outputs, matrices }) {
    const scale = devicePixelRatio || 1;
    wide = Math.min(900, Math.max(260, (canvas.closest(".ce-stage") || canvas).clientWidth - 8));
    if (canvas.width !== Math.round(wide * scale)) {
      [canvas.width, canvas.height] = [Math.round(wide * scale), high * scale];
      [canvas.style.width, canvas.style.height] = [wide + "px", high + "px"];
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, wide, high);
    const layer = Math.min(node.layer, state.n_layers), index = Math.min(node.index, state.width - 1);
    const link = (from, to, colour, thick) => {
      pen.strokeStyle = colour;
      pen.lineWidth = thick;
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
    };
    pen.globalAlpha = Math.min(0.5, 3 / state.width);
    for (let at = 0; at < state.n_layers; at++) {
      for (let from = 0; from < state.width; from++) {
        for (let to = 0; to < state.width; to++) link(place(state, at, from), place(state, at + 1, to), view.theme.line, 0.6);
      }
    }
    pen.globalAlpha = 1;
    const lit = (weight, from, to) => link(from, to, COURSE.palette[weight > 0 ? "positive" : "negative"], 0.6 + (1.6 * Math.abs(weight) * Math.sqrt(state.width)) / state.weight_scale);
    for (let other = 0; other < state.width; other++) {
      if (layer) lit(matrices[layer - 1][other][index], place(state, layer - 1, other), place(state, layer, index));
      if (layer < state.n_layers) lit(matrices[layer][index][other], place(state, layer, index), place(state, layer + 1, other));
    }
    if (state.shortcut) {
      for (let at = 0; at < state.n_layers; at += 2) {
        const [left, right] = [place(state, at, 0), place(state, at + 2, 0)];
        pen.strokeStyle = COURSE.palette.highlight;
        pen.lineWidth = 3;
        pen.beginPath();
        pen.moveTo(left[0], 10);
        pen.quadraticCurveTo((left[0] + right[0]) / 2, -7, right[0], 10);
        pen.stroke();
      }
    }
    outputs.forEach((rows, at) => rows[0].forEach((value, place_) => {
      const [x, y] = place(state, at, place_), chosen = at === layer && place_ === index;
      pen.beginPath();
      pen.arc(x, y, chosen ? 6 : Math.min(5, 60 / state.width), 0, 7);
      pen.fillStyle = diverging(2)(value).fill;
      pen.fill();
      pen.lineWidth = chosen ? 2.5 : 1;
      pen.strokeStyle = chosen ? COURSE.palette.highlight : view.theme.muted;
      pen.stroke();
    }));
    const spoken = `${label}: node ${index + 1} of layer ${layer}`;
    if (canvas.getAttribute("aria-label") !== spoken) canvas.setAttribute("aria-label", spoken);
  }
  return { panel: element("figure", { class: "ce-panel" }, caption, canvas), paint };
}

export { parameterCount, plainPass };
export default explorable({
  summary: deepSummary,
  predict: {
    question: (opening) => `${opening.n_layers} layers, weights of the usual size. How large is the gradient of the first layer, compared with the last one?`,
    options: ["about the same", "a thousandth", "less than a billionth"],
    reveal(guess, opening) {
      const { norms } = deepPass(opening), ratio = norms[0] / norms[norms.length - 1];
      const right = ratio < 1e-9 ? "less than a billionth" : ratio < 0.03 ? "a thousandth" : "about the same";
      return `${guess === right ? "Right. " : ""}The ratio is ${powerOf(ratio)}: each layer multiplies by weights and by the slope σ′${opening.activation === "sigmoid" ? ", and the slope of a sigmoid is at most ¼" : ""}.`;
    },
  },
  build(view) {
    const network = networkPicture(view);
    const gradients = axesPicture(view, { label: "size of the weight gradient of each layer", wide: 440, high: 230, x: { label: "layer" }, y: { label: "rms gradient", log: true } });
    const strip = axesPicture(view, { label: "activations of each layer, all samples", wide: 440, high: 230, x: { label: "layer" }, y: { label: "activation" } });
    const [size, ratio] = ["parameters", "gradient first : last"].map(view.chip);
    view.stage(network.panel, view.veil(element("div", {}, gradients.panel)), view.veil(element("div", {}, strip.panel)));
    view.note(size.node, view.veil(element("div", {}, ratio.node)));
    const preset = view.choice({
      label: "preset",
      options: [[-1, "your own"], ...COURSE.presets.map(({ label }, index) => [index, label])],
      apply: (index) => COURSE.presets[index]?.state || {},
      current: (state) => COURSE.presets.findIndex((entry) => Object.entries(entry.state).every(([name, value]) => state[name] === value)),
    });
    view.controls(
      preset,
      view.slider({ field: "n_layers", label: "hidden layers", min: 2, max: 20, step: 2 }),
      view.slider({ field: "width", label: "nodes in each layer", min: 2, max: 16 }),
      view.choice({ field: "activation", label: "activation σ", options: COURSE.activations }),
      view.slider({ field: "weight_scale", label: "size of the weights, times 1/√n", min: 0.3, max: 3, step: 0.1 }),
      view.toggle({ field: "shortcut", label: "shortcuts" }),
      view.slider({ field: "branch_scale", label: "size of the correction δ", min: 0, max: 1, step: 0.05, off: (state) => !state.shortcut }),
      view.toggle({ field: "batch_norm", label: "batch normalisation" }),
      view.button("new weights", () => view.set({ seed: (view.state.seed + 1) % 100 })),
      view.resetButton());
    view.draw((state) => {
      const pass = deepPass(state), { norms, outputs } = pass, nLayers = state.n_layers;
      network.paint(state, pass);
      const seen = norms.filter((norm) => norm > 0), top = Math.max(1e-2, ...seen), bottom = Math.min(1e-4, ...seen);
      gradients.paint({
        layers: [{ bars: norms.map((norm, at) => [at + 1, norm]), width: 0.7, colour: COURSE.palette.training }],
        x: { low: 0.4, high: nLayers + 0.6 }, y: { low: bottom / 3, high: top * 3 },
        describe: `from ${powerOf(norms[0])} in the first to ${powerOf(norms[nLayers - 1])} in the last layer`,
      });
      const all = outputs[nLayers].flatMap((row) => [...row]), mean = all.reduce((sum, value) => sum + value) / all.length;
      const deviation = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
      // Every third value shows the shape and keeps the picture quick.
      const dots = outputs.flatMap((rows, at) => rows.flatMap((row, sample) => [...row].filter((_, col) => (col + sample) % 3 === 0).map((value, place) => [at + 0.34 * Math.sin(7 * place + 3 * sample), value])));
      const limit = Math.max(1.2, ...dots.map(([, value]) => Math.abs(value)));
      strip.paint({
        layers: [{ points: dots, size: 1.6, colour: COURSE.palette.training, dim: 0.55 }],
        x: { low: -0.6, high: nLayers + 0.6 }, y: { low: -limit * 1.05, high: limit * 1.05 },
        describe: `standard deviation ${powerOf(deviation)} in the last layer`,
      });
      size.write(String(parameterCount(state)), `${nLayers} · (${state.width} + 1) · ${state.width}`);
      ratio.write(norms[nLayers - 1] ? powerOf(norms[0] / norms[nLayers - 1]) : "no gradient", "root mean square");
    });
  },
});
