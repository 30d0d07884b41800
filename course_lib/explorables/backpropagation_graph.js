// ---- the model: pure functions, twins of those in backpropagation_graph.py ----

const logistic = (value) => 1 / (1 + Math.exp(-value));
// Of each operation: value, and the derivative with respect to each argument.
const operations = {
  add: [(a, b) => a + b, () => [1, 1]],
  multiply: [(a, b) => a * b, (a, b) => [b, a]],
  plus_one: [(a) => a + 1, () => [1]],
  squared_difference: [(a, b) => (b - a) ** 2, (a, b) => [2 * (a - b), 2 * (b - a)]],
  relu: [(a) => Math.max(a, 0), (a) => [a > 0 ? 1 : 0]],
  linear: [(a) => a, () => [1]],
  tanh: [Math.tanh, (a) => [1 - Math.tanh(a) ** 2]],
  sigmoid: [logistic, (a) => [logistic(a) * (1 - logistic(a))]],
};

function propagate({ graph, inputs, activation }) {
  const { inputs: names, nodes } = COURSE.graphs[graph];
  const values = Object.fromEntries(names.map(([name], index) => [name, inputs[index]])), slopes = {};
  for (const { name, operation, arguments: from } of nodes) {
    const [value, slope] = operations[operation === "activate" ? activation : operation], given = from.map((one) => values[one]);
    values[name] = value(...given);
    slopes[name] = slope(...given);
  }
  const gradients = Object.fromEntries(Object.keys(values).map((name) => [name, 0]));
  gradients[nodes.at(-1).name] = 1;
  for (const { name, arguments: from } of [...nodes].reverse()) from.forEach((one, index) => { gradients[one] += gradients[name] * slopes[name][index]; });
  return { values, slopes, gradients };
}

function finiteDifference(state, index, step = 1e-4) {
  const last = COURSE.graphs[state.graph].nodes.at(-1).name;
  const [above, below] = [1, -1].map((sign) =>
    propagate({ ...state, inputs: state.inputs.map((value, at) => (at === index ? value + sign * step : value)) }).values[last]);
  return (above - below) / (2 * step);
}

function graphReconcile(state) {
  const { inputs, nodes } = COURSE.graphs[state.graph];
  const fits = state.inputs && state.inputs.length === inputs.length;
  return { ...state, inputs: fits ? state.inputs : inputs.map(([, value]) => value), step: Math.min(state.step, 2 * nodes.length) };
}

function graphSummary(state) {
  const { inputs, nodes } = COURSE.graphs[state.graph], found = propagate(state), last = nodes.at(-1).name, count = nodes.length;
  if (state.step < count) return `Forward pass: ${state.step} of ${count} nodes have their value.`;
  const value = `${last} = ${show(found.values[last])}`;
  if (state.step < 2 * count) return `${value}; backward pass: ${state.step - count} of ${count} nodes have handed their slope on.`;
  return `${value}, and its slopes are ${inputs.map(([name]) => `∂${last}/∂${name} = ${show(found.gradients[name])}`).join(", ")}.`;
}

// ---- the view ----

// The graph as SVG text: its colours are those of the style sheet and follow the theme by themselves.
function graphPicture(state) {
  const { inputs, places: inputPlaces, nodes } = COURSE.graphs[state.graph], { values, slopes, gradients } = propagate(state);
  const count = nodes.length, last = nodes.at(-1).name, backward = Math.max(0, state.step - count);
  const forward = nodes.slice(0, state.step), passed = nodes.slice(count - backward);
  const active = state.step > count ? nodes[2 * count - state.step] : nodes[state.step - 1];
  const reached = new Set(backward ? [last, ...passed.flatMap((node) => node.arguments)] : []);
  const places = { ...inputPlaces, ...Object.fromEntries(nodes.map((node) => [node.name, node.place])) };
  const columns = Math.max(...Object.values(places).map(([column]) => column));
  const at = (name) => [84 + (places[name][0] * 732) / columns, 46 + places[name][1] * 88];
  const parts = [];
  for (const node of nodes) {
    node.arguments.forEach((name, index) => {
      const [[x0, y0], [x1, y1]] = [at(name), at(node.name)], done = passed.includes(node);
      parts.push(`<line x1="${x0}" y1="${y0}" x2="${x1}" y2="${y1}" stroke="${done ? "var(--ce-accent)" : "var(--ce-line)"}" stroke-width="${done ? 3 : 2}"/>`);
      if (!done) return;
      const [x, y] = [x0 + 0.5 * (x1 - x0), y0 + 0.5 * (y1 - y0)], text = `× ${show(slopes[node.name][index])}`;
      parts.push(`<rect x="${x - 30}" y="${y - 11}" width="60" height="22" rx="11" fill="var(--ce-surface)" stroke="var(--ce-accent)"/><text x="${x}" y="${y + 4.5}" fill="var(--ce-accent)" font-weight="650">${text}</text>`);
    });
  }
  const box = (name, formula, value, known, lit) => {
    const [x, y] = at(name), gradient = reached.has(name), half = formula ? 62 : 54;
    parts.push(`<g><rect x="${x - half}" y="${y - 24}" width="${2 * half}" height="${gradient ? 66 : 46}" rx="9" fill="var(--ce-raised)" stroke="${lit ? "var(--course-highlight)" : "var(--ce-line)"}" stroke-width="${lit ? 3.5 : 1.5}"/>`
      + `<text x="${x}" y="${y - 7}" fill="var(--ce-muted)">${formula || name}</text><text x="${x}" y="${y + 13}" font-size="16" font-weight="650">${known ? show(value) : "?"}</text>`
      + (gradient ? `<text x="${x}" y="${y + 34}" fill="var(--ce-accent)" font-weight="650">∂${last}/∂${name} = ${show(gradients[name])}</text>` : "") + "</g>");
  };
  for (const [name] of inputs) box(name, "", values[name], true, false);
  for (const node of nodes) box(node.name, node.formula, values[node.name], forward.includes(node), node === active);
  const rows = Math.max(...Object.values(places).map(([, row]) => row));
  return `<svg viewBox="0 0 900 ${100 + rows * 88}" style="width:100%;display:block" text-anchor="middle" fill="currentColor" font-size="13">${parts.join("")}</svg>`;
}

// One slider an input; the same five serve every graph.
function inputSlider(view, index) {
  const id = "ce" + Math.random().toString(36).slice(2);
  const label = element("label", { for: id }), output = element("output", { "aria-hidden": "true" });
  const input = element("input", {
    type: "range", id, min: -COURSE.limit / 2, max: COURSE.limit / 2, step: 0.1,
    oninput: () => view.set({ inputs: view.state.inputs.map((value, at) => (at === index ? Number(input.value) : value)) }),
  });
  const node = element("div", { class: "ce-control ce-slider", style: "width: 140px" }, label, input, output);
  view.draw(({ graph, inputs }) => {
    node.hidden = index >= inputs.length;
    if (node.hidden) return;
    label.textContent = COURSE.graphs[graph].inputs[index][0];
    input.value = inputs[index];
    output.textContent = show(inputs[index]);
    input.setAttribute("aria-valuetext", show(inputs[index]));
  });
  return node;
}

export { finiteDifference, propagate };
export default explorable({
  reconcile: graphReconcile,
  summary: graphSummary,
  predict: {
    question: (opening) => {
      const { nodes, inputs } = COURSE.graphs[opening.graph];
      return `By how much does ${nodes.at(-1).name} change for each unit of ${inputs[0][0]}? Multiply the slopes on the way back.`;
    },
    reveal(guess, opening) {
      const { nodes, inputs } = COURSE.graphs[opening.graph], value = propagate(opening).gradients[inputs[0][0]];
      const verdict = guess === "skipped" ? "" : Math.abs(guess - value) < 0.01 ? "Right. " : "";
      return `${verdict}∂${nodes.at(-1).name}/∂${inputs[0][0]} = ${show(value)}: press Step and watch the product grow, from the right to the left.`;
    },
  },
  build(view) {
    const picture = element("div", { role: "img", style: "flex: 1 1 100%" });
    const steps = view.player({ field: "step", max: (state) => 2 * COURSE.graphs[state.graph].nodes.length, interval: () => 1100 });
    const chips = Array.from({ length: 5 }, () => view.chip(""));
    view.stage(picture);
    view.note(view.veil(element("div", { class: "ce-row ce-middle ce-chain" }, chips.map((chip) => chip.node))));
    view.controls(
      steps,
      view.choice({
        field: "graph", label: "computation", options: Object.entries(COURSE.graphs).map(([key, graph]) => [key, graph.label]),
        apply: (graph) => ({ graph, inputs: null, step: COURSE.graphs[graph].nodes.length }),
      }),
      view.choice({ field: "activation", label: "σ of the one node", options: COURSE.activations }),
      ...Array.from({ length: 5 }, (_, index) => inputSlider(view, index)),
      view.resetButton());
    view.draw((state) => {
      const { inputs, nodes } = COURSE.graphs[state.graph], last = nodes.at(-1).name, { gradients } = propagate(state);
      // The slopes are the answer to the question: not before it is given.
      const shown = view.pending() ? { ...state, step: Math.min(state.step, nodes.length) } : state;
      picture.innerHTML = graphPicture(shown);
      picture.setAttribute("aria-label", graphSummary(shown));
      chips.forEach((chip, index) => {
        chip.node.hidden = index >= inputs.length;
        if (chip.node.hidden) return;
        chip.node.firstChild.textContent = `∂${last}/∂${inputs[index][0]} by the graph`;
        chip.write(state.step === 2 * nodes.length ? show(gradients[inputs[index][0]]) : "?", `finite difference ${show(finiteDifference(state, index))}`);
      });
    });
  },
});
