// ---- the model: pure functions, twins of those in regularisation.py ----

const NODES = COURSE.activations.length, N_MASKS = 2 ** NODES;
const FULL = COURSE.activations.reduce((sum, value, k) => sum + value * COURSE.weights[k], 0);
const nanos = (value) => Math.round(value * 1e9) / 1e9 || 0;

function curvatures(elongation, tilt) {
  const angle = (tilt * Math.PI) / 180, along = [Math.cos(angle), Math.sin(angle)], less = 1 - elongation ** -2;
  return [0, 1].map((i) => [0, 1].map((k) => (i === k ? 1 : 0) - less * along[i] * along[k]));
}

const softThreshold = (value, threshold) => (Math.abs(value) > threshold ? Math.sign(value) * (Math.abs(value) - threshold) : 0);

function penalisedMinimum({ penalty, strength, elongation, tilt_deg: tilt }) {
  const h = curvatures(elongation, tilt), goal = h.map((row) => row[0] * COURSE.free[0] + row[1] * COURSE.free[1]);
  if (penalty === "l2") {
    const [a, b, d] = [h[0][0] + 2 * strength, h[0][1], h[1][1] + 2 * strength], determinant = a * d - b * b;
    return [nanos((d * goal[0] - b * goal[1]) / determinant), nanos((a * goal[1] - b * goal[0]) / determinant)];
  }
  const weights = [...COURSE.free];
  for (let round = 0; round < 400; round++) {
    for (const k of [0, 1]) weights[k] = softThreshold(goal[k] - h[k][1 - k] * weights[1 - k], strength) / h[k][k];
  }
  return weights.map(nanos);
}

function dropoutOutputs(rate, scaled) {
  return Array.from({ length: N_MASKS }, (_, mask) => {
    let [output, kept] = [0, 0];
    for (let k = 0; k < NODES; k++) {
      if (!((mask >> k) & 1)) continue;
      kept++;
      output += COURSE.activations[k] * COURSE.weights[k];
    }
    return [scaled ? output / (1 - rate) : output, (1 - rate) ** kept * rate ** (NODES - kept)];
  });
}

function spreadOf({ rate, scaled }) {
  const outputs = dropoutOutputs(rate, scaled), mean = outputs.reduce((sum, [output, p]) => sum + output * p, 0);
  return [mean, Math.sqrt(outputs.reduce((sum, [output, p]) => sum + p * (output - mean) ** 2, 0))];
}

function holdingSummary(state) {
  if (state.view === "dropout") {
    const [mean, deviation] = spreadOf(state);
    return `With a dropout rate of ${show(state.rate)} the output is ${show(mean)} on average, ${show(FULL)} without dropout, and scatters by ${show(deviation)} from mask to mask.`;
  }
  const minimum = penalisedMinimum(state), zeros = [1, 2].filter((index) => minimum[index - 1] === 0).map((index) => "w" + index);
  return `${state.penalty.toUpperCase()} with strength ${show(state.strength)} moves the minimum from (${COURSE.free.map(show).join(", ")}) to (${minimum.map(show).join(", ")}); exactly zero: ${zeros.join(" and ") || "none"}.`;
}

export { penalisedMinimum, spreadOf };
export default explorable({
  summary: holdingSummary,
  predict: {
    question: "Turn the strength of an L2 penalty up to 1. Does a weight become exactly zero? And with L1?",
    options: ["both do", "only with L1", "only with L2", "neither"],
    reveal: (guess) => `${guess === "only with L1" ? "Right. " : ""}L1 pulls with the same force at every distance from zero, so a finite strength wins; the pull of L2 fades as the weight shrinks, and it never arrives.`,
  },
  build(view) {
    const palette = COURSE.palette, wide = 400;
    const plane = axesPicture(view, { label: "loss and penalty", x: { label: "weight w₁", low: -0.6, high: 1.6 }, y: { label: "weight w₂", low: -0.6, high: 1.6 }, wide, high: 390 });
    const paths = axesPicture(view, { label: "weights at the minimum", x: { label: "strength λ", low: 0, high: 1 }, y: { label: "weight", low: -0.4, high: 1.3 }, wide, high: 300 });
    const histogram = axesPicture(view, { label: "output over all 256 masks", x: { label: "output (a.u.)", low: -2.5, high: 6 }, y: { label: "probability", low: 0, high: 0.3 }, wide: 420, high: 300 });
    const network = element("canvas", { role: "img", "aria-label": "network with dropped nodes", style: "width:330px;height:300px" });
    const drawing = element("figure", { class: "ce-panel" }, element("figcaption", {}, "one mask"), network);
    view.stage(plane.panel, view.veil(element("div", {}, paths.panel)), drawing, histogram.panel);
    const forPenalty = [
      view.segments({ field: "penalty", label: "penalty", options: [["l1", "L1: Σ|w|"], ["l2", "L2: Σw²"]] }),
      view.slider({ field: "strength", label: "strength λ", min: 0, max: 1, step: 0.02 }),
      view.slider({ field: "elongation", label: "elongation", min: 1, max: 6, step: 0.25 }),
      view.slider({ field: "tilt_deg", label: "tilt", unit: "°", min: 0, max: 180, step: 5 })];
    const forDropout = [
      view.slider({ field: "rate", label: "dropout rate p", min: 0, max: 0.8, step: 0.05 }),
      view.toggle({ field: "scaled", label: "scale the rest by 1/(1 − p)" }),
      view.button("Draw a mask", () => {
        let mask = 0;
        for (let k = 0; k < NODES; k++) if (Math.random() >= view.state.rate) mask += 2 ** k;
        view.set({ mask });
      })];
    view.controls(view.segments({ field: "view", label: "method", options: [["penalty", "penalty"], ["dropout", "dropout"]] }), ...forPenalty, ...forDropout, view.resetButton());
    const ellipses = (state) => {
      const angle = (state.tilt_deg * Math.PI) / 180;
      return [0.25, 0.5, 0.75, 1.05, 1.4].map((size) => ({
        line: Array.from({ length: 61 }, (_, at) => {
          const [a, b] = [size * state.elongation * Math.cos((at * Math.PI) / 30), size * Math.sin((at * Math.PI) / 30)];
          return [COURSE.free[0] + a * Math.cos(angle) - b * Math.sin(angle), COURSE.free[1] + a * Math.sin(angle) + b * Math.cos(angle)];
        }),
        colour: palette.training, width: 1, dim: 0.6,
      }));
    };
    const level = (state, [a, b]) => {
      if (state.penalty === "l1") {
        const r = Math.abs(a) + Math.abs(b);
        return [[r, 0], [0, r], [-r, 0], [0, -r], [r, 0]];
      }
      return Array.from({ length: 61 }, (_, at) => [Math.hypot(a, b) * Math.cos((at * Math.PI) / 30), Math.hypot(a, b) * Math.sin((at * Math.PI) / 30)]);
    };
    const pathFor = (state, penalty) => Array.from({ length: 51 }, (_, at) => penalisedMinimum({ ...state, penalty, strength: at / 50 }));
    function drawNetwork(state) {
      const scale = devicePixelRatio || 1, pen = network.getContext("2d"), theme = view.theme;
      [network.width, network.height] = [330 * scale, 300 * scale];
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.font = "12px system-ui, sans-serif";
      for (let k = 0; k < NODES; k++) {
        const y = 20 + k * 37, on = (state.mask >> k) & 1;
        if (on) {
          pen.strokeStyle = COURSE.weights[k] > 0 ? palette.positive : palette.negative;
          pen.lineWidth = 4 * Math.abs(COURSE.weights[k]);
          pen.beginPath();
          pen.moveTo(86, y);
          pen.lineTo(222, 150);
          pen.stroke();
        }
        pen.globalAlpha = on ? 1 : 0.35;
        pen.fillStyle = on ? palette.training : theme.empty;
        pen.strokeStyle = theme.muted;
        pen.lineWidth = 1.5;
        pen.beginPath();
        pen.arc(70, y, 16, 0, 7);
        pen.fill();
        pen.stroke();
        pen.fillStyle = on ? "#fff" : theme.ink;
        pen.fillText(on ? show(COURSE.activations[k]) : "×", 70, y);
        pen.globalAlpha = 1;
      }
      const output = dropoutOutputs(state.rate, state.scaled)[state.mask][0];
      pen.fillStyle = palette.highlight;
      pen.beginPath();
      pen.arc(248, 150, 27, 0, 7);
      pen.fill();
      pen.fillStyle = "#1f2430";
      pen.font = "600 14px system-ui, sans-serif";
      pen.fillText(show(output), 248, 150);
      return output;
    }
    view.draw((state) => {
      const dropout = state.view === "dropout";
      forPenalty.forEach((node) => { node.hidden = dropout; });
      forDropout.forEach((node) => { node.hidden = !dropout; });
      [plane.panel.hidden, paths.panel.parentNode.hidden, drawing.hidden, histogram.panel.hidden] = [dropout, dropout, !dropout, !dropout];
      if (dropout) {
        const output = drawNetwork(state), width = 0.25, heights = {};
        for (const [value, p] of dropoutOutputs(state.rate, state.scaled)) {
          const bin = Math.round(value / width);
          heights[bin] = (heights[bin] || 0) + p;
        }
        const [mean] = spreadOf(state), highest = Math.max(0.3, ...Object.values(heights)) * 1.05;
        histogram.paint({ y: { high: highest }, layers: [
          { bars: Object.entries(heights).map(([bin, p]) => [bin * width, p]), width: width * 0.9, colour: palette.training, dim: 0.8, name: "probability of the output" },
          { vertical: FULL, colour: view.theme.muted, dash: [8, 4], name: "without dropout" },
          { vertical: mean, colour: palette.negative, name: "mean over the masks" },
          { vertical: output, colour: palette.highlight, width: 3, name: "this mask" }] });
        return;
      }
      const minimum = penalisedMinimum(state), l1 = pathFor(state, "l1"), l2 = pathFor(state, "l2");
      const chosen = state.penalty === "l1" ? l1 : l2;
      plane.paint({ layers: [
        { vertical: 0, colour: view.theme.muted }, { horizontal: 0, colour: view.theme.muted },
        ...ellipses(state),
        { line: level(state, minimum), colour: palette.negative, dash: [5, 4], name: "equal penalty" },
        { line: chosen, colour: view.theme.ink, width: 2.5, dim: view.pending() ? 0 : 1, name: "path of the minimum" },
        { points: [COURSE.free], shape: "cross", size: 6, colour: palette.training, name: "without penalty" },
        { points: [minimum], size: 7, colour: palette.highlight, name: "with penalty" }] });
      const curve = (path, k) => path.map((weights, at) => [at / 50, weights[k]]);
      paths.paint({ layers: [
        { horizontal: 0, colour: view.theme.muted },
        { vertical: state.strength, colour: palette.highlight },
        { line: curve(l1, 0), colour: "#7b3fb5", dash: [6, 4], name: "w₁, L1" }, { line: curve(l1, 1), colour: "#0b7fab", dash: [6, 4], name: "w₂, L1" },
        { line: curve(l2, 0), colour: "#7b3fb5", name: "w₁, L2" }, { line: curve(l2, 1), colour: "#0b7fab", name: "w₂, L2" }] });
    });
  },
});
