// ---- the model: pure functions, twins of those in keras_program.py ----

const [nEvents, batchSize, maximumEpochs] = COURSE.sizes;

function randomNumbers(seed, count) {
  let state = ((seed + 1) * 1000003) % 2147483647;
  return Array.from({ length: count }, () => (state = (state * 16807) % 2147483647) / 2 ** 30 - 1);
}

function makeEvents(test) {
  const [edge, radius] = COURSE.square, drawn = randomNumbers(test ? 101 : 100, 2 * nEvents).map((value) => edge * value);
  return Array.from({ length: nEvents }, (_, at) => {
    const [x1, x2] = [drawn[2 * at], drawn[2 * at + 1]];
    return { x1, x2, y: x1 * x1 + x2 * x2 < radius * radius ? 1 : 0 };
  });
}
const samples = [makeEvents(false), makeEvents(true)];

const parameterCount = (nodes) => 4 * nodes + 1;
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const activate = { relu: (x) => Math.max(x, 0), tanh: Math.tanh, sigmoid, linear: (x) => x };
const slopeOf = { relu: (y) => (y > 0 ? 1 : 0), tanh: (y) => 1 - y * y, sigmoid: (y) => y * (1 - y), linear: () => 1 };

// One flat list: two weights a node, the biases, the weights of the last node, its bias.
function startParameters(nodes, seed) {
  const drawn = randomNumbers(seed, 3 * nodes), [first, last] = [Math.sqrt(6 / (2 + nodes)), Math.sqrt(6 / (nodes + 1))];
  return [...drawn.slice(0, 2 * nodes).map((value) => value * first), ...Array(nodes).fill(0), ...drawn.slice(2 * nodes).map((value) => value * last), 0];
}

function hiddenOf(p, nodes, activation, x1, x2) {
  return Array.from({ length: nodes }, (_, at) => activate[activation](x1 * p[at] + x2 * p[nodes + at] + p[2 * nodes + at]));
}

function outputOf(p, nodes, activation, x1, x2) {
  return sigmoid(hiddenOf(p, nodes, activation, x1, x2).reduce((sum, value, at) => sum + value * p[3 * nodes + at], 0) + p[4 * nodes]);
}

function lossOf(outputs, sample, loss) {
  return outputs.reduce((sum, output, at) => {
    const { y } = sample[at], kept = Math.min(1 - 1e-7, Math.max(1e-7, output));
    return sum + (loss === "mse" ? (output - y) ** 2 : -(y * Math.log(kept) + (1 - y) * Math.log(1 - kept)));
  }, 0) / sample.length;
}

// The parameters at the start and after every epoch.
function train({ nodes, activation, loss, optimizer, learning_rate, seed }) {
  let p = startParameters(nodes, seed), steps = 0;
  const means = p.map(() => 0), squares = p.map(() => 0), history = [p];
  for (let epoch = 0; epoch < maximumEpochs; epoch++) {
    for (let start = 0; start < nEvents; start += batchSize) {
      const gradient = p.map(() => 0);
      for (const { x1, x2, y } of samples[0].slice(start, start + batchSize)) {
        const hidden = hiddenOf(p, nodes, activation, x1, x2);
        const output = sigmoid(hidden.reduce((sum, value, at) => sum + value * p[3 * nodes + at], 0) + p[4 * nodes]);
        const delta = ((output - y) * (loss === "mse" ? 2 * output * (1 - output) : 1)) / batchSize;
        hidden.forEach((value, at) => {
          const back = delta * p[3 * nodes + at] * slopeOf[activation](value);
          gradient[at] += x1 * back;
          gradient[nodes + at] += x2 * back;
          gradient[2 * nodes + at] += back;
          gradient[3 * nodes + at] += value * delta;
        });
        gradient[4 * nodes] += delta;
      }
      steps++;
      const adam = optimizer === "adam", rate = learning_rate * (adam ? Math.sqrt(1 - 0.999 ** steps) / (1 - 0.9 ** steps) : 1);
      p = p.map((value, at) => {
        if (!adam) return value - rate * gradient[at];
        means[at] = 0.9 * means[at] + 0.1 * gradient[at];
        squares[at] = 0.999 * squares[at] + 0.001 * gradient[at] ** 2;
        return value - (rate * means[at]) / (Math.sqrt(squares[at]) + 1e-7);
      });
    }
    // The last digits differ between the two languages; they must not grow.
    p = p.map((value) => Math.round(value * 1e6) / 1e6);
    history.push(p);
  }
  return history;
}

// A training costs some milliseconds: the last one is kept.
let trained = { key: "", history: [], losses: [] };
function training(state) {
  const key = JSON.stringify([state.nodes, state.activation, state.loss, state.optimizer, state.learning_rate, state.seed]);
  if (trained.key !== key) {
    const history = train(state);
    trained = { key, history, losses: history.map((p) => lossOf(samples[0].map(({ x1, x2 }) => outputOf(p, state.nodes, state.activation, x1, x2)), samples[0], state.loss)) };
  }
  return trained;
}

function evaluate(state, test) {
  const p = training(state).history[state.epoch], sample = samples[test ? 1 : 0];
  const outputs = sample.map(({ x1, x2 }) => outputOf(p, state.nodes, state.activation, x1, x2));
  return { loss: lossOf(outputs, sample, state.loss), accuracy: outputs.filter((output, at) => output > 0.5 === sample[at].y > 0.5).length / sample.length };
}

function programSummary(state) {
  return `After ${state.epoch} epoch${state.epoch === 1 ? "" : "s"}: training loss ${show(evaluate(state, false).loss)}, ` +
    `${show(100 * evaluate(state, true).accuracy)} % of the test events right, with ${parameterCount(state.nodes)} parameters.`;
}

// ---- the view ----

function program(state) {
  return [
    "model = keras.Sequential()",
    "model.add(keras.Input((2,)))",
    `model.add(layers.Dense(${state.nodes}, activation="${state.activation}"))`,
    'model.add(layers.Dense(1, activation="sigmoid"))',
    `model.compile(optimizers.${{ sgd: "SGD", adam: "Adam" }[state.optimizer]}(${state.learning_rate}), "${state.loss}", metrics=["accuracy"])`,
    "model.fit(x, y, batch_size=32, epochs=200)",
    "model.evaluate(x_test, y_test)",
  ];
}

export { evaluate, parameterCount, programSummary, train };
export default explorable({
  summary: programSummary,
  predict: {
    question: (opening) => `Each node has one weight for each of its inputs, and a bias. How many parameters does this program tune, with ${opening.nodes} hidden nodes?`,
    reveal(guess, { nodes }) {
      const count = parameterCount(nodes);
      return `${guess === count ? "Right. " : ""}(2 · ${nodes} + ${nodes}) + (${nodes} + 1) = ${count}.`;
    },
  },
  build(view) {
    const listing = element("div", { role: "group", "aria-label": "program", style: "display: grid; width: 100%; gap: 2px" });
    const rows = COURSE.lines.map((_, line) => {
      const button = view.button("", () => view.set({ line }));
      button.style.cssText = "text-align: left; min-height: 27px; padding: 2px 10px; font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13.5px; border-width: 0 0 0 5px; border-radius: 3px; overflow-wrap: anywhere";
      return button;
    });
    listing.append(...rows);
    const meaning = element("p", { style: "margin: 0; width: 100%; min-height: 2.9em" });
    const [edge] = COURSE.square, axis = { low: -edge, high: edge };
    const curve = axesPicture(view, { label: "training", x: { label: "epoch", low: 0, high: maximumEpochs }, y: { label: "loss" }, wide: 390, high: 290 });
    const map = axesPicture(view, { label: "output of the network, and the training events", x: { ...axis, label: "observable x₁" }, y: { ...axis, label: "observable x₂" }, wide: 340, high: 330 });
    view.stage(listing, meaning, view.veil(element("div", {}, curve.panel)), view.veil(element("div", {}, map.panel)));
    const chips = ["parameters", "training loss", "test accuracy"].map((label) => view.chip(label));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    const [activations, losses, optimizers, rates] = COURSE.choices.map((list) => list.map((value) => [value, String(value)]));
    view.controls(
      view.player({ field: "epoch", max: () => maximumEpochs, interval: () => 30 }),
      view.slider({ field: "epoch", label: "epoch", max: maximumEpochs }),
      view.slider({ field: "nodes", label: "hidden nodes", min: 1, max: 8 }),
      view.choice({ field: "activation", label: "activation", options: activations }),
      view.choice({ field: "loss", label: "loss", options: losses }),
      view.choice({ field: "optimizer", label: "optimizer", options: optimizers }),
      view.choice({ field: "learning_rate", label: "learning rate", options: rates }),
      view.button("Other first weights", () => view.set({ seed: (view.state.seed + 1) % 10 })), view.resetButton());
    view.draw((state) => {
      const { palette } = COURSE;
      program(state).forEach((text, line) => {
        if (rows[line].textContent !== text) rows[line].textContent = text;
        rows[line].style.borderColor = line === state.line ? "var(--course-highlight)" : "transparent";
        rows[line].style.background = line === state.line ? "var(--ce-raised)" : "";
        rows[line].setAttribute("aria-pressed", line === state.line);
      });
      const weights = view.pending() ? "?" : parameterCount(state.nodes);
      const said = COURSE.lines[state.line].replaceAll("{n}", state.nodes).replaceAll("{weights}", weights);
      if (meaning.textContent !== said) meaning.textContent = said;
      if (view.pending()) return;
      const { history, losses: reached } = training(state), top = Math.max(0.3, ...reached.filter(Number.isFinite)) * 1.05;
      curve.paint({
        layers: [
          { line: reached.map((loss, epoch) => [epoch, loss]), colour: view.theme.line },
          { line: reached.slice(0, state.epoch + 1).map((loss, epoch) => [epoch, loss]), colour: palette.training, width: 2.5, name: "training loss" },
          { vertical: state.epoch, colour: palette.highlight, width: 2.5, name: "now" },
        ],
        y: { low: 0, high: top }, describe: `epoch ${state.epoch}, ${show(reached[state.epoch])}`,
      });
      const cells = 44, place = (index) => edge * (((index + 0.5) * 2) / cells - 1);
      const outputs = Array.from({ length: cells }, (_, row) => Array.from({ length: cells }, (_, col) =>
        outputOf(history[state.epoch], state.nodes, state.activation, place(col), place(row))));
      // Four steps of colour: the border between the two pale ones is the decision.
      const tint = (output) => ({ fill: `color-mix(in srgb, ${output > 0.5 ? palette.signal : palette.background} ${[55, 22, 22, 55][Math.min(3, Math.floor(4 * output))]}%, ${view.theme.surface || "white"})` });
      const of = (kind) => samples[0].filter(({ y }) => y === kind).map(({ x1, x2 }) => [x1, x2]);
      map.paint({ layers: [
        { field: outputs, colour: tint },
        { points: of(1), colour: palette.signal, size: 3.5, name: "signal" },
        { points: of(0), colour: view.theme.ink, size: 3, shape: "cross", name: "background" },
      ] });
      chips[0].write(parameterCount(state.nodes), `of ${state.nodes} + 1 nodes`);
      chips[1].write(show(reached[state.epoch]), state.loss);
      chips[2].write(`${show(100 * evaluate(state, true).accuracy)} %`, "on 128 fresh events");
    });
  },
});
