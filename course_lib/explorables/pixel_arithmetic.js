// ---- the model: pure functions, twins of those in pixel_arithmetic.py ----

const activate = {
  linear: (value) => value,
  relu: (value) => Math.max(value, 0),
  leaky_relu: (value) => (value > 0 ? value : 0.1 * value),
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};

function appliedKernel({ kernel, flip }) {
  return flip ? kernel.map((row) => [...row].reverse()).reverse() : kernel;
}

function pixelResponse(state) {
  const kernel = appliedKernel(state);
  const products = state.patch.map((row, i) => row.map((value, j) => value * kernel[i][j]));
  const weightedSum = products.flat().reduce((sum, value) => sum + value, 0);
  const withBias = weightedSum + state.bias;
  return { products, weightedSum, withBias, output: activate[state.activation](withBias) };
}

const activationName = (state) => COURSE.activations.find(([value]) => value === state.activation)[1];

function pixelSummary(state) {
  const { weightedSum, withBias, output } = pixelResponse(state);
  const last = state.activation === "linear" ? "without activation it stays" : `${activationName(state)} makes it`;
  return `The nine products add up to ${show(weightedSum)}; with the bias ${show(state.bias)} that is ${show(withBias)}, and ${last} ${show(output)}.`;
}

// ---- the view ----

const largest = (rows) => Math.max(...rows.flat().map(Math.abs), 1);

// The curve of the activation with a dot where the pixel is.
function activationPlot(view) {
  const [wide, high] = [190, 128];
  const canvas = element("canvas", { role: "img", "aria-label": "Activation against its input", style: `width:${wide}px;height:${high}px` });
  const caption = element("figcaption");
  const pen = canvas.getContext("2d");
  const paint = (state, { withBias, output }) => {
    const scale = devicePixelRatio || 1, sigma = activate[state.activation];
    if (canvas.width !== wide * scale) [canvas.width, canvas.height] = [wide * scale, high * scale];
    const saturates = state.activation === "tanh" || state.activation === "sigmoid";
    const reach = Math.max(5, Math.abs(withBias) * 1.25), top = saturates ? 1.25 : reach;
    const x = (value) => wide / 2 + (value / reach) * (wide / 2 - 8), y = (value) => high / 2 - (value / top) * (high / 2 - 10);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, wide, high);
    const line = (colour, width, dash, ...points) => {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.setLineDash(dash);
      pen.beginPath();
      for (const [a, b] of points) pen.lineTo(a, b);
      pen.stroke();
    };
    line(view.theme.line, 1, [], [4, y(0)], [wide - 4, y(0)]);
    line(view.theme.line, 1, [], [x(0), 4], [x(0), high - 4]);
    const places = Array.from({ length: 121 }, (_, index) => -reach + (index * reach) / 60);
    line(COURSE.palette.training, 2.5, [], ...places.map((value) => [x(value), y(sigma(value))]));
    line(view.theme.muted, 1.2, [3, 3], [x(withBias), y(0)], [x(withBias), y(output)], [x(0), y(output)]);
    pen.setLineDash([]);
    pen.beginPath();
    pen.arc(x(withBias), y(output), 6, 0, 7);
    pen.fillStyle = COURSE.palette.highlight;
    pen.fill();
    line(view.theme.ink, 1.2, []);
    pen.stroke();
    pen.fillStyle = view.theme.muted;
    pen.font = "11px system-ui, sans-serif";
    pen.fillText("x′", wide - 16, y(0) - 5);
    pen.fillText("y′", x(0) + 5, 13);
    caption.textContent = state.activation === "linear" ? "y′ = x′ (no activation)" : `y′ = ${activationName(state)}(x′)`;
  };
  return { panel: element("figure", { class: "ce-panel" }, caption, canvas), paint };
}

export { pixelResponse, pixelSummary };
export default explorable({
  summary: pixelSummary,
  predict: {
    question: (opening) => `Add the nine products, then the bias ${show(opening.bias)}, then apply ${activationName(opening)}. Which number comes out?`,
    reveal(guess, opening) {
      const { weightedSum, withBias, output } = pixelResponse(opening);
      const verdict = guess === "skipped" ? "" : Math.abs(guess - output) < 0.01 ? "Exactly right. " : "";
      return `${verdict}Sum ${show(weightedSum)}, bias ${show(opening.bias)} makes ${show(withBias)}, out comes ${show(output)}.`;
    },
  },
  build(view) {
    const sign = (text) => element("span", { class: "ce-sign", "aria-hidden": "true" }, text);
    const colour = diverging(6);
    const applied = view.grid({ label: "flipped filter", cell: 51 });
    const flipped = element("div", {}, applied.panel);
    const products = view.grid({ label: "products W · x", cell: 51 });
    const plot = activationPlot(view);
    const chain = ["sum of products", "+ bias", "activation"].map((label) => view.chip(label));
    const formula = view.formula();
    const arrow = () => element("span", { class: "ce-sign ce-flat", "aria-hidden": "true" }, "→");
    view.stage(
      view.numberGrid({ field: "patch", label: "patch x (type in it)", rows: 3, cols: 3, colour }), sign("·"),
      view.numberGrid({ field: "kernel", label: "filter W (type in it)", rows: 3, cols: 3, colour }), flipped, sign("="),
      view.veil(element("div", {}, products.panel)), view.veil(element("div", {}, plot.panel)));
    view.note(view.veil(element("div", { class: "ce-chain" }, formula.node,
      element("div", { class: "ce-row ce-middle" }, chain[0].node, arrow(), chain[1].node, arrow(), chain[2].node))));
    const preset = view.choice({
      label: "preset",
      options: [[-1, "your own"], ...COURSE.presets.map((entry, index) => [index, entry.label])],
      apply: (index) => (index < 0 ? {} : { ...COURSE.presets[index].state, flip: false }),
      current: (state) => COURSE.presets.findIndex((entry) =>
        ["patch", "kernel"].every((name) => JSON.stringify(entry.state[name]) === JSON.stringify(state[name]))),
    });
    view.controls(
      preset,
      view.slider({ field: "bias", label: "bias b", min: -30, max: 30, step: 0.5 }),
      view.choice({ field: "activation", label: "activation σ", options: COURSE.activations }),
      view.toggle({ field: "flip", label: "true convolution: flip the filter" }),
      view.resetButton());
    view.draw((state) => {
      const response = pixelResponse(state), kernel = appliedKernel(state);
      flipped.hidden = !state.flip;
      applied.paint({ values: kernel, colour, write: show });
      products.paint({
        values: response.products, colour: diverging(largest(response.products)), write: show,
        describe: response.products.flat().map(show).join(", "),
      });
      const terms = response.products.flat().filter((value) => value !== 0).map(show);
      const joined = terms.map((term, index) => (index && !term.startsWith("−") ? " + " + term : " " + term.replace("−", "− "))).join("");
      formula.write(`${joined || "0"} = `, element("b", {}, show(response.weightedSum)));
      chain[0].write(show(response.weightedSum), "Σ W x");
      chain[1].write(show(response.withBias), `b = ${show(state.bias)}`);
      chain[2].write(show(response.output), activationName(state));
      plot.paint(state, response);
    });
  },
});
