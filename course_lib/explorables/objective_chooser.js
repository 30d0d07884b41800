// ---- the model: pure functions, twins of those in objective_chooser.py ----

function networkShapes({ n_inputs: inputs, n_hidden: hidden, n_outputs: outputs }) {
  return { firstWeights: [hidden, inputs], firstBiases: [hidden], lastWeights: [outputs, hidden], lastBiases: [outputs], count: hidden * inputs + hidden + outputs * hidden + outputs };
}

function taskReconcile(state) {
  const { fewest, most } = COURSE.tasks[state.task];
  return { ...state, n_outputs: Math.min(Math.max(state.n_outputs, fewest), most) };
}

function taskSummary(state) {
  const { label, activation, loss } = COURSE.tasks[state.task], many = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;
  return `${many(state.n_inputs, "input")}, ${many(state.n_hidden, "hidden node")} and ${many(state.n_outputs, "output")} make ${networkShapes(state).count} parameters; ${label}: last activation ${activation}, loss ${loss}.`;
}

// ---- the view ----

function networkPicture({ n_inputs, n_hidden, n_outputs, task }) {
  const layers = [n_inputs, n_hidden, n_outputs], parts = [], step = 34, middle = 150;
  const at = (layer, index) => [90 + layer * 190, middle + (index - (layers[layer] - 1) / 2) * step];
  for (const layer of [0, 1]) {
    for (let from = 0; from < layers[layer]; from++) {
      for (let to = 0; to < layers[layer + 1]; to++) {
        const [[x0, y0], [x1, y1]] = [at(layer, from), at(layer + 1, to)];
        parts.push(`<line x1="${x0}" y1="${y0}" x2="${x1}" y2="${y1}" stroke="var(--ce-line)" stroke-width="1.5"/>`);
      }
    }
  }
  layers.forEach((count, layer) => {
    for (let index = 0; index < count; index++) {
      const [x, y] = at(layer, index);
      parts.push(`<circle cx="${x}" cy="${y}" r="13" fill="${layer ? "var(--course-training)" : "var(--course-background)"}"/>`);
      parts.push(`<text x="${x}" y="${y + 4}" fill="#fff" font-size="12">${["x", "h", "y"][layer]}${"₁₂₃₄₅₆₇₈"[index]}</text>`);
    }
  });
  const { activation } = COURSE.tasks[task];
  if (activation === "softmax") parts.push(`<rect x="${at(2, 0)[0] - 20}" y="${at(2, 0)[1] - 20}" width="40" height="${(n_outputs - 1) * step + 40}" rx="12" fill="none" stroke="var(--course-highlight)" stroke-width="2.5"/>`);
  ["inputs", "hidden layer, σ", `outputs: ${activation}`].forEach((text, layer) => parts.push(`<text x="${at(layer, 0)[0]}" y="304" fill="var(--ce-muted)">${text}</text>`));
  return `<svg viewBox="0 0 560 312" style="width:100%;display:block" text-anchor="middle" fill="currentColor" font-size="13">${parts.join("")}</svg>`;
}

export { networkShapes };
export default explorable({
  reconcile: taskReconcile,
  summary: taskSummary,
  predict: {
    question: (opening) => `${opening.n_inputs} inputs, ${opening.n_hidden} hidden nodes, ${opening.n_outputs} outputs, biases included: how many parameters?`,
    reveal(guess, opening) {
      const { n_inputs: inputs, n_hidden: hidden, n_outputs: outputs } = opening, { count } = networkShapes(opening);
      return `${guess === count ? "Right: " : ""}${hidden}·${inputs} + ${hidden} in the first layer, ${outputs}·${hidden} + ${outputs} in the last, together ${count}.`;
    },
  },
  build(view) {
    const picture = element("div", { role: "img", style: "width: 520px; max-width: 100%" });
    const labels = ["W, first weights", "b, first biases", "W′, last weights", "b′, last biases", "all parameters"];
    const chips = labels.map((label) => view.chip(label)), choices = ["last activation", "loss", "in Keras"].map((label) => view.chip(label));
    view.stage(picture, view.veil(element("div", { class: "ce-column" }, chips.map((chip) => chip.node))));
    view.note(...choices.map((chip) => chip.node));
    view.controls(
      view.choice({ field: "task", label: "the network shall tell", options: Object.entries(COURSE.tasks).map(([key, { label }]) => [key, label]) }),
      view.slider({ field: "n_inputs", label: "inputs n", min: 1, max: COURSE.most }),
      view.slider({ field: "n_hidden", label: "hidden nodes h", min: 1, max: COURSE.most }),
      view.slider({ field: "n_outputs", label: "outputs m", min: ({ task }) => COURSE.tasks[task].fewest, max: ({ task }) => COURSE.tasks[task].most, off: ({ task }) => COURSE.tasks[task].most === 1 }),
      view.resetButton());
    view.draw((state) => {
      const { firstWeights, firstBiases, lastWeights, lastBiases, count } = networkShapes(state), task = COURSE.tasks[state.task];
      picture.innerHTML = networkPicture(state);
      picture.setAttribute("aria-label", `network with ${state.n_inputs}, ${state.n_hidden} and ${state.n_outputs} nodes`);
      [firstWeights, firstBiases, lastWeights, lastBiases].forEach((shape, index) => chips[index].write(`(${shape.join(", ")})`, `${shape.reduce((product, side) => product * side, 1)} numbers`));
      chips[4].write(String(count));
      choices[0].write(task.activation, "of the output nodes");
      choices[1].write(task.loss, `equation ${task.equation}`);
      choices[2].write(`"${task.keras}"`, "the mean over outputs, where the book sums");
      choices[2].node.lastChild.hidden = state.task !== "vector";
    });
  },
});
