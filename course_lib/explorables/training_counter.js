// ---- the model: pure functions, twins of those in training_counter.py ----

function trainingCount({ inputs, layers, nodes, outputs, events, validation_percent, batch_size, epochs }) {
  const sizes = [inputs, ...Array(layers).fill(nodes), outputs];
  const perLayer = sizes.slice(1).map((after, at) => (sizes[at] + 1) * after);
  const parameters = perLayer.reduce((sum, one) => sum + one, 0);
  const trainingEvents = events - Math.floor((events * validation_percent) / 100);
  const stepsPerEpoch = Math.ceil(trainingEvents / batch_size);
  const values = 4 * parameters + Math.min(batch_size, trainingEvents) * sizes.reduce((sum, one) => sum + one, 0);
  return { perLayer, parameters, trainingEvents, stepsPerEpoch, steps: stepsPerEpoch * epochs, memoryBytes: 4 * values };
}

const counted = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

function memoryText(bytes) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]])
    if (bytes >= size) return `${Math.floor((bytes / size) * 10 + 0.5) / 10} ${unit}`;
  return `${bytes} B`;
}

function counterSummary(state) {
  const count = trainingCount(state);
  return `${counted(count.parameters)} parameters; ${counted(count.trainingEvents)} training events in batches of ${state.batch_size} make ` +
    `${counted(count.stepsPerEpoch)} steps an epoch and ${counted(count.steps)} steps in all, with ${memoryText(count.memoryBytes)} of memory.`;
}

// ---- the view ----

export { trainingCount, counterSummary };
export default explorable({
  summary: counterSummary,
  predict: {
    question: "Three hidden layers. You double the nodes of each layer, from 20 to 40. The number of parameters grows by about ...",
    options: ["a factor 2", "a factor 3.3", "a factor 8"],
    reveal(guess, opening) {
      const [before, after] = [20, 40].map((nodes) => trainingCount({ ...opening, inputs: 11, outputs: 1, layers: 3, nodes }).parameters);
      return `${guess === "a factor 3.3" ? "Right: f" : "F"}rom ${counted(before)} to ${counted(after)}. Between two hidden layers the weights grow with the square of the nodes, ` +
        "towards the input and the output only in proportion. A network of many wide layers comes close to a factor 4, and never beyond.";
    },
  },
  build(view) {
    const bars = axesPicture(view, { label: "parameters of each layer", y: { label: "parameters", log: true }, x: { label: "layer" }, wide: 440, high: 260 });
    const chips = ["parameters", "steps an epoch", "steps in all", "memory in training"].map((label) => view.chip(label));
    view.stage(view.veil(element("div", {}, bars.panel)),
      view.veil(element("div", { class: "ce-column" }, chips.map((chip) => chip.node))));
    view.controls(
      view.slider({ field: "inputs", label: "inputs", min: 1, max: 1024 }),
      view.slider({ field: "layers", label: "hidden layers", max: 8 }),
      view.slider({ field: "nodes", label: "nodes a layer", values: COURSE.nodes, off: (state) => state.layers === 0 }),
      view.slider({ field: "outputs", label: "outputs", min: 1, max: 10 }),
      view.slider({ field: "events", label: "events d", values: COURSE.events, write: counted }),
      view.slider({ field: "validation_percent", label: "held back", unit: "%", max: 50 }),
      view.slider({ field: "batch_size", label: "batch size k", values: COURSE.batchSizes }),
      view.slider({ field: "epochs", label: "epochs", min: 1, max: 200 }),
      view.choice({
        label: "preset",
        options: [[null, "your own"], ...COURSE.presets],
        apply: (preset) => preset || {},
        current: (state) => (COURSE.presets.find(([preset]) => Object.entries(preset).every(([name, value]) => state[name] === value)) || [null])[0],
      }),
      view.resetButton());
    view.draw((state) => {
      const count = trainingCount(state), last = count.perLayer.length;
      bars.paint({
        x: { low: 0.4, high: last + 0.6, ticks: count.perLayer.map((_, at) => [at + 1, at + 1 === last ? "output" : last > 6 ? String(at + 1) : `hidden ${at + 1}`]) },
        y: { low: 1, high: Math.max(100, 2 * Math.max(...count.perLayer)) },
        layers: [
          { bars: count.perLayer.map((many, at) => [at + 1, many]), width: 0.7, colour: COURSE.palette.training },
          ...(last > 6 ? [] : count.perLayer.map((many, at) => ({ text: counted(many), at: [at + 1, many * 1.35], align: "center" }))),
        ],
        describe: count.perLayer.map(counted).join(", "),
      });
      chips[0].write(counted(count.parameters), "weights and biases");
      chips[1].write(counted(count.stepsPerEpoch), `${counted(count.trainingEvents)} events / ${state.batch_size}, rounded up`);
      chips[2].write(counted(count.steps), state.epochs === 1 ? "one epoch" : `${state.epochs} epochs`);
      chips[3].write(memoryText(count.memoryBytes), "parameters 4 times, one batch of node values");
    });
  },
});
