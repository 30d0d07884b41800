// ---- the model: pure functions, twins of those in forward_pass.py ----

const activate = {
  linear: (y) => y,
  relu: (y) => Math.max(y, 0),
  sigmoid: (y) => 1 / (1 + Math.exp(-y)),
  tanh: Math.tanh,
};
const activationName = ({ activation }) => COURSE.activations.find(([value]) => value === activation)[1];

function forward(state, x1, x2) {
  const sums = [state.w11 * x1 + state.w12 * x2 + state.b1, state.w21 * x1 + state.w22 * x2 + state.b2];
  const hidden = sums.map(activate[state.activation]);
  return { sums, hidden, output: hidden[0] * state.c1 + hidden[1] * state.c2 + state.d };
}

function collapsed({ w11, w12, b1, w21, w22, b2, c1, c2, d }) {
  return { weights: [c1 * w11 + c2 * w21, c1 * w12 + c2 * w22], bias: c1 * b1 + c2 * b2 + d };
}

function planeText({ weights, bias }) {
  let text = "";
  for (const [value, name] of [[weights[0], " x₁"], [weights[1], " x₂"], [bias, ""]]) {
    const size = show(Math.abs(value)), sign = value < 0 ? "−" : "+";
    if (size === "0") continue;
    const term = size === "1" && name ? name.trim() : size + name;
    text += text ? ` ${sign} ${term}` : value < 0 ? sign + term : term;
  }
  return text || "0";
}

const rightCorners = (state) =>
  COURSE.corners.filter(([x1, x2], at) => forward(state, x1, x2).output > 0.5 === Boolean(COURSE.truth[state.truth][at])).length;

function passSummary(state) {
  const { activation, truth, x1, x2 } = state;
  let sentence = `At x₁ = ${show(x1)}, x₂ = ${show(x2)} the output is ${show(forward(state, x1, x2).output)}; `;
  if (activation === "linear") sentence += `without activation the network is one plane, ${planeText(collapsed(state))}`;
  else if (activation === "relu") {
    const folds = ((state.w11 || state.w12) && state.c1 ? 1 : 0) + ((state.w21 || state.w22) && state.c2 ? 1 : 0);
    sentence += `with ReLU the plane is folded along ${folds} line${folds === 1 ? "" : "s"}`;
  } else sentence += `with ${activation} the plane bends smoothly`;
  return sentence + (truth === "none" ? "." : `; ${rightCorners(state)} of 4 corners agree with ${truth.toUpperCase()}.`);
}

// ---- the view ----

const signed = (value) => `${value < 0 ? "−" : "+"} ${show(Math.abs(value))}`;

// The network as a drawing: numbers on the links, values in the nodes that the pass has reached.
function networkPicture(view) {
  const [wide, high] = [470, 300], canvas = element("canvas", { role: "img" }), pen = canvas.getContext("2d");
  const places = { x1: [34, 84], x2: [34, 216], h1: [190, 84], h2: [190, 216], z: [404, 150] };
  const paint = (state) => {
    const scale = devicePixelRatio || 1, { theme } = view, { sums, hidden, output } = forward(state, state.x1, state.x2);
    if (canvas.width !== wide * scale) [canvas.width, canvas.height] = [wide * scale, high * scale];
    canvas.style.width = wide + "px";
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.textBaseline = "middle";
    const write = (text, x, y, { colour = theme.ink, size = 13, weight = 500, align = "center" } = {}) => {
      pen.font = `${weight} ${size}px system-ui, sans-serif`;
      [pen.fillStyle, pen.textAlign] = [colour, align];
      pen.fillText(text, x, y);
    };
    const link = (from, to, value, share) => {
      const [[ax, ay], [bx, by]] = [places[from], places[to]];
      const end = to === "z" ? bx - 30 : bx - 26, start = from.startsWith("h") ? ax + 106 : ax + 24;
      const target = to === "z" ? by : by + (by === ay ? 0 : (ay - by) * 0.06);
      pen.strokeStyle = value < 0 ? COURSE.palette.negative : value > 0 ? COURSE.palette.positive : theme.line;
      pen.lineWidth = 1 + 1.6 * Math.abs(value);
      pen.setLineDash(value < 0 ? [7, 4] : []);
      pen.beginPath();
      pen.moveTo(start, ay);
      pen.lineTo(end, target);
      pen.stroke();
      pen.setLineDash([]);
      const [x, y] = [start + share * (end - start), ay + share * (target - ay)];
      pen.fillStyle = theme.surface;
      pen.fillRect(x - 19, y - 9, 38, 18);
      write(show(value), x, y, { weight: 650 });
    };
    link("x1", "h1", state.w11, 0.5);
    link("x2", "h1", state.w12, 0.72);
    link("x1", "h2", state.w21, 0.72);
    link("x2", "h2", state.w22, 0.5);
    link("h1", "z", state.c1, 0.5);
    link("h2", "z", state.c2, 0.5);
    const node = (name, reached, text, note, half = 26) => {
      const [x, y] = places[name];
      pen.beginPath();
      pen.roundRect(x - half, y - 22, 2 * half, 44, 12);
      pen.fillStyle = reached ? theme.surface : theme.empty;
      pen.fill();
      pen.strokeStyle = reached ? COURSE.palette.highlight : theme.line;
      pen.lineWidth = reached ? 3 : 1.5;
      pen.stroke();
      write(reached ? text : "?", x, y, { size: 15, weight: 650 });
      write(note, x, y < 110 ? y - 36 : y + 37, { colour: theme.muted, size: 12.5 });
    };
    node("x1", true, show(state.x1), "x₁", 24);
    node("x2", true, show(state.x2), "x₂", 24);
    const name = state.activation === "linear" ? "no σ" : activationName(state);
    [[0, "h1", "₁", state.b1], [1, "h2", "₂", state.b2]].forEach(([at, place, index, bias]) => {
      const [x, y] = places[place], done = state.step > 2 * at + 1;
      node(place, state.step > 2 * at, show(sums[at]), `y${index}, bias ${show(bias)}`);
      write("→", x + 40, y, { colour: theme.muted, size: 16 });
      places.out = [x + 78, y];
      node("out", done, show(hidden[at]), name);
    });
    node("z", state.step === 5, show(output), `z, bias ${show(state.d)}`, 30);
    const stations = ["y₁", "σ(y₁)", "y₂", "σ(y₂)", "z"].slice(0, state.step);
    canvas.setAttribute("aria-label", `the network, computed so far: ${stations.join(", ") || "nothing"}`);
  };
  return { panel: element("figure", { class: "ce-panel" }, element("figcaption", {}, "the network at the point (x₁, x₂)"), canvas), paint };
}

// The end points of the line w x + b = 0, far outside the picture.
function foldLine([first, second], bias) {
  const squared = first ** 2 + second ** 2, length = Math.sqrt(squared);
  return [-6, 6].map((along) => [(-bias * first) / squared - (along * second) / length, (-bias * second) / squared + (along * first) / length]);
}

export { collapsed, forward, planeText };
export default explorable({
  summary: passSummary,
  predict: {
    question: "The nine numbers may be anything, and there is no activation. Which landscapes z(x₁, x₂) can come out?",
    options: ["only tilted planes", "planes with a fold", "hills and valleys"],
    reveal: (guess) => `${guess === "only tilted planes" ? "Right. " : ""}Only tilted planes: two affine maps in a row are one affine map. Switch an activation on, and the plane gets its folds.`,
  },
  build(view) {
    const half = 2, cells = 45, network = networkPicture(view);
    const axis = (label) => ({ label, low: -half, high: half });
    const map = axesPicture(view, {
      label: "output z over the plane (click: another point)", x: axis("x₁"), y: axis("x₂"), wide: 350, high: 330,
      pick: (x1, x2) => view.set({ x1: Math.round(x1 * 20) / 20, x2: Math.round(x2 * 20) / 20 }),
    });
    const formula = view.formula(), corners = element("div", { class: "ce-row ce-middle" });
    const chips = COURSE.corners.map((corner) => view.chip(`x = (${corner})`));
    corners.append(...chips.map((chip) => chip.node));
    view.stage(network.panel, view.veil(element("div", {}, map.panel)));
    view.note(view.veil(element("div", { class: "ce-chain" }, formula.node, corners)));
    const slider = (field, label) => view.slider({ field, label, min: -3, max: 3, step: 0.1 });
    view.controls(
      view.player({ field: "step", max: () => 5, interval: () => 900 }),
      view.choice({
        label: "preset", options: [[-1, "your own"], ...COURSE.presets.map((entry, index) => [index, entry.label])],
        apply: (index) => (index < 0 ? {} : { ...COURSE.presets[index].state, step: 5 }),
        current: (state) => COURSE.presets.findIndex((entry) => Object.keys(entry.state).every((name) => entry.state[name] === state[name])),
      }),
      view.choice({ field: "activation", label: "activation σ", options: COURSE.activations }),
      view.choice({ field: "truth", label: "compare the corners with", options: [["none", "nothing"], ["or", "OR"], ["and", "AND"], ["xor", "XOR"]] }),
      view.resetButton(), element("i"),
      slider("w11", "W₁₁"), slider("w12", "W₁₂"), slider("b1", "b₁"), element("i"),
      slider("w21", "W₂₁"), slider("w22", "W₂₂"), slider("b2", "b₂"), element("i"),
      slider("c1", "c₁"), slider("c2", "c₂"), slider("d", "d"), element("i"),
      ...[["x1", "input x₁"], ["x2", "input x₂"]].map(([field, label]) => view.slider({ field, label, min: -half, max: half, step: 0.05 })));
    view.draw((state) => {
      network.paint(state);
      const at = (index) => -half + ((index + 0.5) * 2 * half) / cells;
      const field = Array.from({ length: cells }, (_, row) => Array.from({ length: cells }, (_, col) => forward(state, at(col), at(row)).output));
      const limit = Math.max(1e-9, ...field.flat().map(Math.abs)), folds = [];
      if (state.activation !== "linear") {
        const lines = [[state.w11, state.w12, state.b1, state.c1], [state.w21, state.w22, state.b2, state.c2]];
        for (const [first, second, bias, c] of lines) {
          if ((first || second) && c) folds.push({ line: foldLine([first, second], bias), colour: "#1f2430", dash: [6, 4], width: 1.5 });
        }
      }
      const { highlight, signal, background } = COURSE.palette, answers = COURSE.truth[state.truth];
      const corner = (answer) => ({
        points: COURSE.corners.filter((_, index) => answers[index] === answer), name: `${state.truth.toUpperCase()} says ${answer}`,
        colour: answer ? signal : background, shape: answer ? "circle" : "square", size: 6,
      });
      map.paint({
        layers: [{ field, colour: diverging(limit) }, ...folds, ...(answers.length ? [corner(0), corner(1)] : []),
          { points: [[state.x1, state.x2]], colour: "#1f2430", size: 8 }, { points: [[state.x1, state.x2]], colour: highlight, size: 6 }],
        describe: `from ${show(Math.min(...field.flat()))} to ${show(Math.max(...field.flat()))}; dashed: where a hidden node has its threshold`,
      });
      const affine = collapsed(state);
      formula.write(...(state.activation === "linear"
        ? ["collapsed: W″₁ = ", show(affine.weights[0]), ", W″₂ = ", show(affine.weights[1]), ", b″ = ", show(affine.bias), "; z = ", element("b", {}, planeText(affine))]
        : [`z = ${show(state.c1)} σ(y₁) ${signed(state.c2)} σ(y₂) ${signed(state.d)}: `, element("b", {}, "no single plane any more")]));
      corners.hidden = !answers.length;
      COURSE.corners.forEach(([x1, x2], index) => {
        const z = forward(state, x1, x2).output, right = z > 0.5 === Boolean(answers[index]);
        chips[index].write(`z = ${show(z)}`, `${right ? "✓" : "✗"} ${state.truth.toUpperCase()} says ${answers[index]}`);
      });
    });
  },
});
