// ---- the model: pure functions, twins of those in network_paths.py ----

function respond(inputs, { weights, biases, activation }) {
  let values = inputs, used = 0;
  const answers = [], last = COURSE.layers.length - 2;
  for (let layer = 0; layer <= last; layer++) {
    const sums = Array.from({ length: COURSE.layers[layer + 1] }, (_, node) => biases[3 * layer + node]);
    for (const value of values) for (let node = 0; node < sums.length; node++) sums[node] += weights[used++] * value;
    values = sums.map((sum) => (activation && layer < last ? Math.max(sum, 0) : sum));
    answers.push(values);
  }
  return { first: answers[0], second: answers[1], output: answers[2][0] };
}

const inputsOf = (state) => [state.x_1, state.x_2, state.x_3];

function shiftedOutput(state) {
  const [first, ...others] = inputsOf(state);
  return respond([first * (1 + COURSE.shift), ...others], state).output - respond([first, ...others], state).output;
}

function pathsSummary(state) {
  const { first, second, output } = respond(inputsOf(state), state);
  const active = [...first, ...second].filter((value) => value !== 0).length;
  return `The output z is ${show(output)} and ${active} of 6 hidden nodes are active; ` +
    `when x₁ rises by 2 %, z changes by ${show(100 * shiftedOutput(state))} hundredths.`;
}

// Every link as {layer, source, node}, in the order of the weights.
const links = [];
COURSE.layers.slice(1).forEach((after, layer) => {
  for (let source = 0; source < COURSE.layers[layer]; source++) for (let node = 0; node < after; node++) links.push({ layer, source, node });
});

const subscript = (index) => "₁₂₃"[index];
const nodeName = (layer, node) => (layer === 3 ? "z" : "xab"[layer] + subscript(node));

// ---- the view ----

function networkPicture(view) {
  const wide = 470, high = 292, canvas = element("canvas", { role: "img", "aria-label": "network", style: `width: ${wide}px; height: ${high}px` });
  const pen = canvas.getContext("2d"), { palette } = COURSE;
  const spot = (layer, node) => [52 + 122 * layer, layer === 3 ? 148 : 52 + 96 * node];
  return { panel: element("figure", { class: "ce-panel" }, element("figcaption", {}, "links: weight (teal +, magenta −); dashed: nothing flows"), canvas), paint(state) {
    const scale = devicePixelRatio || 1;
    [canvas.width, canvas.height] = [wide * scale, high * scale];
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const { first, second, output } = respond(inputsOf(state), state), values = [inputsOf(state), first, second, [output]];
    links.forEach(({ layer, source, node }, at) => {
      const weight = state.weights[at], silent = values[layer][source] === 0 || weight === 0;
      const stroke = (colour, width) => {
        [pen.strokeStyle, pen.lineWidth] = [colour, width];
        pen.beginPath();
        pen.moveTo(...spot(layer, source));
        pen.lineTo(...spot(layer + 1, node));
        pen.stroke();
      };
      if (at === state.link) stroke(palette.highlight, 9);
      pen.setLineDash(silent ? [3, 5] : []);
      pen.globalAlpha = silent ? 0.45 : 1;
      stroke(weight > 0 ? palette.positive : palette.negative, 1 + 2.6 * Math.abs(weight));
      pen.setLineDash([]);
      pen.globalAlpha = 1;
    });
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    values.forEach((layerValues, layer) => layerValues.forEach((value, node) => {
      const [x, y] = spot(layer, node), silent = value === 0 && layer > 0, painted = diverging(3)(value);
      pen.beginPath();
      pen.arc(x, y, 24, 0, 7);
      pen.fillStyle = silent ? view.theme.surface : painted.fill;
      pen.fill();
      [pen.strokeStyle, pen.lineWidth] = [view.theme.muted, 1.5];
      pen.stroke();
      pen.fillStyle = silent ? view.theme.muted : painted.ink;
      pen.font = "600 14px system-ui, sans-serif";
      pen.fillText(show(value), x, y);
      pen.fillStyle = view.theme.ink;
      pen.font = "13px system-ui, sans-serif";
      pen.fillText(nodeName(layer, node), x, y - 34);
    }));
    canvas.setAttribute("aria-label", "network, from the inputs to the output: " + values.map((line) => line.map(show).join(", ")).join("; "));
  } };
}

export { pathsSummary, respond, shiftedOutput };
export default explorable({
  summary: pathsSummary,
  predict: {
    question: "Switch the activation off, so that the hidden nodes only add. What does the output z look like over the inputs?",
    options: ["a plane", "a plane with kinks", "a hill"],
    reveal: (guess) => `${guess === "a plane" ? "Right. " : ""}It is a plane. Sums of sums are sums, so two hidden layers are worth no more than none. With the activation the plane gets kinks.`,
  },
  build(view) {
    const network = networkPicture(view);
    const { reach, mapSize } = COURSE, bounded = (value) => Math.round(10 * Math.max(-reach, Math.min(reach, value))) / 10;
    const map = axesPicture(view, {
      label: "output z over the first two inputs", wide: 330, high: 320,
      x: { label: "input x₁", low: -reach, high: reach }, y: { label: "input x₂", low: -reach, high: reach },
      pick: (x, y) => view.set({ x_1: bounded(x), x_2: bounded(y) }),
      walk: (dx, dy) => view.set({ x_1: bounded(view.state.x_1 + 0.1 * dx), x_2: bounded(view.state.x_2 + 0.1 * dy) }),
    });
    view.stage(network.panel, view.veil(element("div", {}, map.panel)));
    const chips = ["output z", "slope ∂z/∂x₁", "x₁ larger by 2 %"].map((label) => view.chip(label));
    view.note(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node)));

    const change = (weight) => view.set({ weights: view.state.weights.map((old, at) => (at === view.state.link ? weight : old)) });
    const output = element("output", { "aria-hidden": "true" });
    const weight = element("input", { type: "range", min: -2, max: 2, step: 0.1, "aria-label": "weight of the chosen link", oninput: () => change(Number(weight.value)) });
    const dice = () => view.set({ weights: view.state.weights.map(() => Math.round(30 * Math.random() - 15) / 10) });
    view.controls(
      ...[1, 2, 3].map((at) => view.slider({ field: `x_${at}`, label: `input x${subscript(at - 1)}`, min: -COURSE.reach, max: COURSE.reach, step: 0.1 })),
      view.choice({ field: "link", label: "link (yellow)", options: links.map(({ layer, source, node }, at) => [at, `${nodeName(layer, source)} → ${nodeName(layer + 1, node)}`]) }),
      element("div", { class: "ce-control ce-slider" }, element("span", { style: "color: var(--ce-muted); font-size: 12.5px" }, "its weight"), weight, output),
      view.toggle({ field: "activation", label: "activation (ReLU)" }),
      view.button("New random weights", dice), view.resetButton());
    view.draw((state) => {
      network.paint(state);
      const place = (index) => reach * (((index + 0.5) * 2) / mapSize - 1);
      const values = Array.from({ length: mapSize }, (_, row) =>
        Array.from({ length: mapSize }, (_, col) => respond([place(col), place(row), state.x_3], state).output));
      const largest = Math.max(1, ...values.flat().map(Math.abs));
      map.paint({
        layers: [
          // Steps of the colour are contour lines: straight and parallel on a plane.
          { field: values, colour: (value) => diverging(largest)(Math.round((6 * value) / largest) * (largest / 6)) },
          { points: [[state.x_1, state.x_2]], colour: "#1f2430", size: 6 },
        ],
        describe: `from ${show(Math.min(...values.flat()))} to ${show(Math.max(...values.flat()))}`,
      });
      const tiny = 1e-6, [first, ...others] = inputsOf(state), now = respond([first, ...others], state).output;
      const slope = (respond([first + tiny, ...others], state).output - now) / tiny, shift = shiftedOutput(state);
      chips[0].write(show(now));
      chips[1].write(show(slope), "at this point");
      chips[2].write(`Δz = ${shift.toFixed(4).replace("-", "−")}`, `slope · Δx₁ = ${(slope * COURSE.shift * first).toFixed(4).replace("-", "−")}`);
      weight.value = state.weights[state.link];
      output.textContent = show(state.weights[state.link]);
      weight.setAttribute("aria-valuetext", output.textContent);
    });
  },
});
