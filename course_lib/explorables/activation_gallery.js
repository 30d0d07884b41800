// ---- the model: pure functions, twins of those in activation_gallery.py ----

const SATURATED = 0.05, NODES = Array.from({ length: 800 }, (_, at) => (at + 0.5) / 100 - 4);
const HEIGHTS = NODES.map((node) => Math.exp(-0.5 * node * node)), HEIGHT = HEIGHTS.reduce((sum, value) => sum + value, 0);

// -> [value, slope]
function valueAndSlope(name, x, alpha) {
  if (name === "relu" || name === "leaky_relu") {
    const low = name === "relu" ? 0 : alpha;
    return x > 0 ? [x, 1] : [low * x, low];
  }
  if (name === "sigmoid") {
    const value = 1 / (1 + Math.exp(-x));
    return [value, value * (1 - value)];
  }
  if (name === "tanh") return [Math.tanh(x), 1 - Math.tanh(x) ** 2];
  const [limit, scale] = name === "selu" ? COURSE.selu : [alpha, 1];
  return x > 0 ? [scale * x, scale] : [scale * (limit * Math.exp(x) - limit), scale * limit * Math.exp(x)];
}

function outputMoments({ activation, alpha, width }) {
  const pairs = NODES.map((node) => valueAndSlope(activation, width * node, alpha));
  const mean = pairs.reduce((sum, [value], at) => sum + value * HEIGHTS[at], 0) / HEIGHT;
  const square = pairs.reduce((sum, [value], at) => sum + (value - mean) ** 2 * HEIGHTS[at], 0) / HEIGHT;
  const saturated = pairs.reduce((sum, [, slope], at) => sum + (Math.abs(slope) < SATURATED ? HEIGHTS[at] : 0), 0) / HEIGHT;
  return [mean, Math.sqrt(square), saturated];
}

const nameOf = (activation) => COURSE.names.find(([value]) => value === activation)[1];
function gallerySummary(state) {
  const [mean, deviation, saturated] = outputMoments(state);
  return `${nameOf(state.activation)} of inputs with mean 0 and width ${show(state.width)}: output mean ${show(mean)}, width ${show(deviation)}; slope below ${SATURATED} for ${show(Math.floor(100 * saturated + 0.5))} % of the inputs.`;
}

export { valueAndSlope, outputMoments };
export default explorable({
  summary: gallerySummary,
  predict: {
    question: "Inputs are normally distributed around zero. Which of these has an output with mean zero?",
    options: ["ReLU", "sigmoid", "tanh"],
    reveal: (guess) => `${guess === "tanh" ? "Right. " : ""}Only tanh is odd. Sigmoid gives one half on average and ReLU 0.4, so the next layer sees inputs that are all shifted to one side.`,
  },
  build(view) {
    const palette = COURSE.palette, colours = ["#2563c9", "#e8820c", "#1b998b", "#7b3fb5", "#c2185b", "#8a6d00"];
    const curves = axesPicture(view, { label: "activation functions", x: { label: "input x", low: -4, high: 4 }, y: { label: "output σ(x)", low: -2, high: 3 }, wide: 430, high: 310 });
    const outputs = axesPicture(view, { label: "what becomes of the inputs", x: { label: "output", low: -3, high: 4 }, y: { label: "probability a bin", low: 0, high: 0.3 }, wide: 400, high: 310 });
    const chips = ["output mean", "output width", "slope below 0.05", "slope at 0"].map((label) => view.chip(label));
    view.stage(curves.panel, view.veil(element("div", {}, outputs.panel)));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    view.controls(
      view.choice({ field: "activation", label: "activation", options: COURSE.names }),
      view.slider({ field: "alpha", label: "α", min: 0, max: 1.5, step: 0.05, off: (state) => !["leaky_relu", "elu"].includes(state.activation) }),
      view.slider({ field: "width", label: "width of the inputs", min: 0.25, max: 4, step: 0.25 }),
      view.toggle({ field: "slope", label: "show the slope σ′" }),
      view.resetButton());
    view.draw((state) => {
      const places = Array.from({ length: 161 }, (_, at) => -4 + at * 0.05), chosen = COURSE.names.findIndex(([name]) => name === state.activation);
      const curve = (name, which) => places.map((x) => [x, valueAndSlope(name, x, state.alpha)[which]]);
      curves.paint({ layers: [
        { horizontal: 0, colour: view.theme.line }, { vertical: 0, colour: view.theme.line },
        ...COURSE.names.filter((_, at) => at !== chosen).map(([name]) => ({ line: curve(name, 0), colour: view.theme.muted, width: 1, dim: 0.45 })),
        { line: curve(state.activation, 0), colour: colours[chosen], width: 3.5, name: nameOf(state.activation) },
        ...(state.slope ? [{ line: curve(state.activation, 1), colour: colours[chosen], dash: [6, 4], name: "its slope" }] : [])] });
      const width = 0.2, heights = {}, before = {};
      NODES.forEach((node, at) => {
        for (const [bins, value] of [[heights, valueAndSlope(state.activation, state.width * node, state.alpha)[0]], [before, state.width * node]]) {
          const bin = Math.round(value / width);
          bins[bin] = (bins[bin] || 0) + HEIGHTS[at] / HEIGHT;
        }
      });
      const bars = (bins) => Object.entries(bins).map(([bin, share]) => [bin * width, share]);
      const [mean, deviation, saturated] = outputMoments(state);
      outputs.paint({ y: { high: Math.max(0.15, ...Object.values(heights)) * 1.05 }, layers: [
        { bars: bars(heights), width: 0.9 * width, colour: colours[chosen], dim: 0.8, name: "outputs" },
        { line: bars(before).sort(([a], [b]) => a - b), colour: view.theme.muted, name: "inputs" },
        { vertical: mean, colour: palette.highlight, width: 3, name: "mean of the outputs" }] });
      chips[0].write(show(mean));
      chips[1].write(show(deviation));
      chips[2].write(`${show(Math.floor(100 * saturated + 0.5))} %`, "of the inputs");
      const [left, right] = [-1e-6, 1e-6].map((x) => show(valueAndSlope(state.activation, x, state.alpha)[1]));
      chips[3].write(left === right ? left : `${left} | ${right}`, left === right ? "" : "left | right");
    });
  },
});
