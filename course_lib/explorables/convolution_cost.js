// ---- the model: pure functions, twins of those in convolution_cost.py ----

function inceptionCost({ channels, filters_1, filters_3, filters_5, filters_pool, bottleneck, bottleneck_on }) {
  const names = [], parameters = [], weights = [];
  for (const [name, kernel, filters] of [["1 × 1", 1, filters_1], ["3 × 3", 3, filters_3], ["5 × 5", 5, filters_5]]) {
    const narrow = filters && kernel > 1 && bottleneck_on;
    const own = (narrow ? channels * bottleneck : 0) + kernel * kernel * (narrow ? bottleneck : channels) * filters;
    names.push(name);
    weights.push(filters ? own : 0);
    parameters.push(filters ? own + filters + (narrow ? bottleneck : 0) : 0);
  }
  names.push("pooling, 1 × 1");
  weights.push(channels * filters_pool);
  parameters.push(filters_pool ? (channels + 1) * filters_pool : 0);
  return { names, parameters, weights };
}

function separableCost({ channels, filters, kernel }) {
  const weights = [kernel * kernel * channels * filters, kernel * kernel * channels, channels * filters];
  return { names: ["standard", "depth-wise", "point-wise"], parameters: [...weights], weights };
}

const moduleCost = (state) => (state.module === "separable" ? separableCost(state) : inceptionCost(state));

// Largest eigenvalue of rows · rowsᵀ by repeated multiplication: the square of the first singular value.
function leading(rows) {
  const count = rows.length;
  const product = rows.map((one) => rows.map((other) => one.reduce((sum, value, at) => sum + value * other[at], 0)));
  let vector = Array.from({ length: count }, (_, at) => 1 + at / count), value = 0;
  for (let turn = 0; turn < 400; turn++) {
    const next = product.map((row) => row.reduce((sum, entry, at) => sum + entry * vector[at], 0));
    value = Math.hypot(...next);
    vector = next.map((entry) => entry / value);
  }
  return value;
}

const knownErrors = {};

function separableError({ kernel, seed }) {
  const key = `${kernel} ${seed}`;
  if (key in knownErrors) return knownErrors[key];
  const [channels, filters] = COURSE.drawn, area = kernel * kernel, values = normal(seed, 87, channels * area * filters);
  let kept = 0;
  for (let channel = 0; channel < channels; channel++)
    kept += leading(Array.from({ length: area }, (_, row) => values.slice((channel * area + row) * filters, (channel * area + row + 1) * filters)));
  return (knownErrors[key] = Math.sqrt(1 - kept / values.reduce((sum, value) => sum + value * value, 0)));
}

const counted = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const total = (numbers) => numbers.reduce((sum, one) => sum + one, 0);
const half = (value) => Math.floor(value + 0.5);

function costSummary(state) {
  const cost = moduleCost(state);
  if (state.module === "separable") {
    const [standard, ...parts] = cost.weights;
    return `The separable convolution has ${counted(total(parts))} weights instead of ${counted(standard)}, a factor ` +
      `${half((10 * standard) / total(parts)) / 10} less, and reproduces a random kernel with an error of ${half(100 * separableError(state))} %.`;
  }
  const maps = state.filters_1 + state.filters_3 + state.filters_5 + state.filters_pool;
  return `The Inception module has ${counted(total(cost.parameters))} parameters, makes ${maps} maps from ${state.channels} and needs ` +
    `${half((total(cost.weights) * state.side ** 2) / 1e5) / 10} million multiplications for ${state.side} × ${state.side} pixels.`;
}

// ---- the view ----

export { moduleCost, separableError, costSummary };
export default explorable({
  summary: costSummary,
  predict: {
    question: "64 channels come in. Which branch of the module has most parameters when the bottlenecks are taken away?",
    options: ["1 × 1", "3 × 3", "5 × 5", "pooling"],
    reveal: (guess) => `${guess === "5 × 5" ? "Right. " : ""}A filter of 5 × 5 has 25 weights for each channel that comes in. A bottleneck of 1 × 1 filters first makes few ` +
      "channels out of many, and the expensive filters then work on those.",
  },
  build(view) {
    const bars = axesPicture(view, { label: "parameters of each part", x: { label: "part", low: 0.4 }, y: { label: "parameters", low: 0 }, wide: 470, high: 270 });
    const chips = ["parameters", "multiplications a pixel", "compared with"].map((label) => view.chip(label));
    view.stage(view.veil(element("div", {}, bars.panel)), view.veil(element("div", { class: "ce-column" }, chips.map((chip) => chip.node))));
    const only = (module, ...nodes) => {
      const box = element("div", { class: "ce-row ce-only", style: "gap:10px 22px;align-items:flex-end" }, nodes);
      view.draw((state) => { box.hidden = state.module !== module; });
      return box;
    };
    const filters = (field, label) => view.slider({ field, label, values: COURSE.filters, write: (value) => (value ? show(value) : "off") });
    view.controls(
      view.segments({ field: "module", label: "module", options: [["inception", "Inception (8.7)"], ["separable", "separable (8.8)"]] }),
      view.slider({ field: "channels", label: "channels in", values: COURSE.channels }),
      view.slider({ field: "side", label: "pixels a side", values: COURSE.sides }),
      view.resetButton(), element("i"),
      only("inception", filters("filters_1", "filters 1 × 1"), filters("filters_3", "filters 3 × 3"), filters("filters_5", "filters 5 × 5"),
        filters("filters_pool", "filters after pooling"), view.toggle({ field: "bottleneck_on", label: "bottlenecks" }),
        view.slider({ field: "bottleneck", label: "bottleneck filters", values: COURSE.bottlenecks, off: (state) => !state.bottleneck_on })),
      only("separable", view.slider({ field: "filters", label: "filters", values: COURSE.filters.slice(1) }),
        view.slider({ field: "kernel", label: "kernel side k", values: COURSE.kernels }),
        view.slider({ field: "seed", label: "random kernel", max: 99 })));
    view.draw((state) => {
      const cost = moduleCost(state), separable = state.module === "separable", [standard, ...parts] = cost.weights;
      const most = Math.max(1, ...cost.parameters);
      bars.paint({
        x: { high: cost.names.length + 0.6, ticks: cost.names.map((name, at) => [at + 1, name]) }, y: { high: 1.18 * most },
        layers: [
          { bars: cost.parameters.map((many, at) => [at + 1, many]), width: 0.7, colour: (at) => (separable && at === 0 ? COURSE.palette.reference : COURSE.palette.training) },
          ...cost.parameters.map((many, at) => ({ text: counted(many), at: [at + 1, many + 0.06 * most], align: "center" })),
        ],
        describe: cost.names.map((name, at) => `${name} ${counted(cost.parameters[at])}`).join(", "),
      });
      const mine = separable ? total(parts) : total(cost.parameters);
      chips[0].write(counted(mine), separable ? "depth-wise and point-wise" : "all branches");
      chips[1].write(counted(separable ? mine : total(cost.weights)), `× ${state.side}² pixels`);
      if (separable) chips[2].write(`1 / ${show(standard / mine)}`, `of the standard one; 1/n + 1/k² = ${show(1 / state.filters + 1 / state.kernel ** 2)}; error ${half(100 * separableError(state))} %`);
      else {
        const wide = total(inceptionCost({ ...state, bottleneck_on: false }).parameters);
        chips[2].write(counted(wide), "parameters without bottlenecks");
      }
    });
  },
});
