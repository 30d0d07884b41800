// ---- the model: pure functions, twins of those in one_node.py ----

function activation(kind, y) {
  return kind === "relu" ? Math.max(y, 0) : kind === "sigmoid" ? 1 / (1 + Math.exp(-y)) : Math.tanh(y);
}

function slope(kind, y) {
  const value = activation(kind, y);
  return kind === "relu" ? Number(y > 0) : kind === "sigmoid" ? value * (1 - value) : 1 - value ** 2;
}

const rule = ({ w1, w2, bias }, x1, x2) => w1 * x1 + w2 * x2 + bias;

function accuracy(state) {
  const points = COURSE.points[state.points];
  return points.filter(([x1, x2, label]) => rule(state, x1, x2) > 0 === Boolean(label)).length / points.length;
}

// A node that does not get an input has weight zero there.
function nodeReconcile(state) {
  if (state.view !== "classes" || state.inputs === "both") return state;
  return { ...state, [state.inputs === "x1" ? "w2" : "w1"]: 0 };
}

const signed = (value) => `${value < 0 ? "−" : "+"} ${show(Math.abs(value))}`;

function nodeSummary(state) {
  const { view, w1, w2, bias } = state;
  if (view === "classes") {
    return `The border ${show(w1)} x₁ ${signed(w2)} x₂ ${signed(bias)} = 0 puts ${show(Math.floor(100 * accuracy(state) + 0.5))} % of the points on their right side.`;
  }
  const name = `${COURSE.activations.find(([kind]) => kind === state.activation)[1]}(${show(w1)} x ${signed(bias)})`;
  if (w1 === 0) return `The node ${name} gives ${show(activation(state.activation, bias))} for every x.`;
  return `The node ${name} has its threshold at x = ${show(-bias / w1)} and switches on to the ${w1 > 0 ? "right" : "left"} of it.`;
}

// ---- the view ----

export { accuracy, activation, slope };
export default explorable({
  reconcile: nodeReconcile,
  summary: nodeSummary,
  // The other tab opens with a node that shows something there.
  change: (changes) => (changes.view ? { ...changes, ...(changes.view === "curve" ? { w1: 2, bias: -4 } : { w1: 1, w2: 0, bias: 0, inputs: "both" }) } : changes),
  predict: {
    question: (opening) => (opening.view === "curve"
      ? `A sigmoid node with w = ${show(opening.w1)} and b = ${show(opening.bias)}. At which x does it give 0.5?`
      : "The clouds can be separated by a slanted line. What percentage of the points does the best cut on x₁ alone get right?"),
    reveal: (guess, opening) => {
      if (opening.view === "classes") {
        const { both, x1 } = COURSE.best.slanted;
        return `${Math.abs(guess - x1) <= 5 ? "Well judged. " : ""}${x1} %, and no cut on x₂ does much better. With both inputs ${both} % are possible: find weights that reach it.`;
      }
      const at = -opening.bias / opening.w1;
      return `${Math.abs(guess - at) < 0.01 ? "Right. " : ""}Where w x + b = 0, at x = −b/w = ${show(at)}. Now move b: the curve shifts and keeps its form.`;
    },
  },
  build(view) {
    const { palette } = COURSE, reach = 3, cells = 40;
    const line = ["#2563c9", "#e8820c", "#1b998b"], dash = [[], [8, 4], [2, 3]];
    const curve = axesPicture(view, { label: "answer of the node", x: { label: "x", low: -6, high: 6 }, y: { label: "σ(w x + b)", low: -1.2, high: 2.5 }, wide: 560, high: 320 });
    const axis = (label) => ({ label, low: -reach, high: reach });
    const plane = axesPicture(view, { label: "probability z′ = σ(z) of signal", x: axis("x₁"), y: axis("x₂"), wide: 380, high: 360 });
    const chips = ["accuracy now", "best possible, both inputs", "best cut on x₁ alone", "best cut on x₂ alone"].map((label) => view.chip(label));
    const column = element("div", { class: "ce-column", style: "width: 230px" }, chips.map((chip) => chip.node));
    const pictures = [view.veil(element("div", {}, curve.panel)), element("div", {}, plane.panel), view.veil(column)];
    view.stage(...pictures);
    const forCurve = [
      view.choice({ field: "activation", label: "activation σ", options: COURSE.activations }),
      view.slider({ field: "w1", label: "weight w", min: -8, max: 8, step: 0.1 })];
    const forClasses = [
      view.choice({ field: "points", label: "points", options: COURSE.pointKinds }),
      view.segments({ field: "inputs", label: "the node gets", options: COURSE.inputKinds }),
      view.slider({ field: "w1", label: "weight w₁", min: -8, max: 8, step: 0.1, off: (state) => state.inputs === "x2" }),
      view.slider({ field: "w2", label: "weight w₂", min: -8, max: 8, step: 0.1, off: (state) => state.inputs === "x1" })];
    const derivative = view.toggle({ field: "derivative", label: "derivative" });
    view.controls(
      view.segments({ field: "view", label: "what", options: [["curve", "one input: the curve"], ["classes", "two inputs: classes"]] }),
      ...forCurve, ...forClasses, view.slider({ field: "bias", label: "bias b", min: -8, max: 8, step: 0.1 }), derivative, view.resetButton());
    const map = colourMap([[0, palette.background], [0.5, "#ffffff"], [1, palette.signal]]);
    view.draw((state) => {
      const classes = state.view === "classes";
      for (const node of [...forCurve, derivative, pictures[0]]) node.hidden = classes;
      for (const node of [...forClasses, pictures[1], pictures[2]]) node.hidden = !classes;
      if (!classes) {
        const places = Array.from({ length: 241 }, (_, at) => -6 + at / 20), drawn = (f, kind) => places.map((x) => [x, f(kind, state.w1 * x + state.bias)]);
        const layers = COURSE.activations.map(([kind, name], at) => ({
          line: drawn(activation, kind), colour: line[at], dash: dash[at], width: kind === state.activation ? 4 : 1.5, dim: kind === state.activation ? 1 : 0.5, name,
        }));
        if (state.derivative) layers.push({ line: drawn(slope, state.activation), colour: view.theme.ink, dash: [9, 3, 2, 3], width: 2, name: "derivative σ′" });
        const { w1, bias } = state, at = -bias / w1;
        if (w1) layers.push({ vertical: at, colour: palette.highlight, dash: [5, 4], name: "threshold x = −b/w" });
        curve.paint({ layers: [{ horizontal: 0, colour: view.theme.line, width: 1 }, ...layers], describe: nodeSummary(state) });
        return;
      }
      const middle = (index) => -reach + ((index + 0.5) * 2 * reach) / cells;
      const field = Array.from({ length: cells }, (_, row) => Array.from({ length: cells }, (_, col) => activation("sigmoid", rule(state, middle(col), middle(row)))));
      const points = (wanted) => COURSE.points[state.points].filter(([, , label]) => label === wanted);
      const { w1, w2, bias } = state, squared = w1 ** 2 + w2 ** 2, length = Math.sqrt(squared);
      const border = squared ? [{ line: [-9, 9].map((along) => [(-bias * w1) / squared - (along * w2) / length, (-bias * w2) / squared + (along * w1) / length]), colour: "#1f2430", width: 2.5 }] : [];
      plane.paint({
        layers: [{ field, colour: (value) => pick(map, 0.2 + 0.6 * value) }, ...border,
          { points: points(1), colour: palette.signal, size: 5, name: "signal" },
          { points: points(0), colour: "#3d4652", size: 4, shape: "cross", name: "background" }],
        describe: `the dark line is the border z′ = 0.5; ${nodeSummary(state)}`,
      });
      const best = COURSE.best[state.points];
      chips[0].write(`${Math.floor(100 * accuracy(state) + 0.5)} %`, "z′ > 0.5 means signal");
      chips[1].write(`${best.both} %`, "the best straight line");
      chips[2].write(`${best.x1} %`, "w₂ = 0");
      chips[3].write(`${best.x2} %`, "w₁ = 0");
    });
  },
});
