// ---- the model: pure functions, twins of those in descent_steps.py ----

const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const lossAt = (weight) => mean(COURSE.points.map(([x, y]) => (weight * x - y) ** 2));
const slopeAt = (weight) => mean(COURSE.points.map(([x, y]) => 2 * (weight * x - y) * x));

function descend(weight, rate, count) {
  const weights = [weight];
  for (let index = 0; index < count; index++) weights.push(weights[index] - rate * slopeAt(weights[index]));
  return weights;
}

function verdictOf(weight, rate) {
  const [settled, crawling, hopping, exploded] = COURSE.verdicts;
  const first = Math.abs(weight - COURSE.best), last = Math.abs(descend(weight, rate, COURSE.steps).at(-1) - COURSE.best);
  if (last > 1.01 * first + 1e-6) return exploded;
  if (last < 0.05) return settled;
  return rate > 1 / COURSE.curvature ? hopping : crawling;
}

function descentSummary({ weight, learning_rate: rate, step }) {
  const now = descend(weight, rate, step).at(-1), verdict = verdictOf(weight, rate), [, crawling, hopping] = COURSE.verdicts;
  return `After ${step} step${step === 1 ? "" : "s"} with α = ${show(rate)} the slope is W = ${show(now)} and the loss ${show(lossAt(now))}; this run ${[crawling, hopping].includes(verdict) ? "is " : ""}${verdict}.`;
}

// ---- the view ----

export { descend, lossAt, slopeAt, verdictOf };
export default explorable({
  summary: descentSummary,
  // Another start or learning rate is another run.
  change: (changes) => ("weight" in changes || "learning_rate" in changes ? { step: 0, ...changes } : changes),
  predict: {
    question: "The loss is a parabola with second derivative 2. From which learning rate on do the steps grow instead of shrink?",
    options: ["0.1", "0.5", "1", "2"],
    reveal: (guess) => `${guess === "1" ? "Right. " : ""}A step multiplies the distance to the minimum by 1 − 2α: 0 at α = 0.5, −1 at α = 1. Stable below 2 / L″ = 1. Try both.`,
  },
  build(view) {
    const palette = COURSE.palette;
    const fit = axesPicture(view, { label: "data, line y = W x, residuals", wide: 290, high: 270, x: { label: "x (1)", low: -1.8, high: 1.8 }, y: { label: "y (1)", low: -4, high: 4 } });
    const valley = axesPicture(view, {
      label: "loss against W", wide: 290, high: 270, x: { label: "slope W (1)", low: -3, high: 5.4 }, y: { label: "loss L (1)", low: 0, high: 18 },
      pick: (weight) => view.set({ weight: Math.round(Math.max(-2.5, Math.min(5, weight)) * 10) / 10 }),
    });
    const curves = axesPicture(view, { label: "loss curves of all 30 steps", wide: 290, high: 270, x: { label: "step", low: 0, high: COURSE.steps }, y: { label: "loss L (1)", log: true, low: 0.02, high: 300 } });
    const chips = ["slope of the loss at W", "next step  −α · slope", "distance is multiplied by"].map((label) => view.chip(label));
    // The legend of the third picture grows; the three stay side by side and level.
    const level = (panel) => element("div", { style: "align-self: flex-start; max-width: 290px" }, panel);
    view.stage(level(fit.panel), level(valley.panel), view.veil(level(curves.panel)));
    view.note(view.veil(element("div", { class: "ce-row ce-middle ce-chain" }, chips.map((chip) => chip.node))));
    const keep = () => {
      const { kept, learning_rate: rate } = view.state;
      if (!kept.includes(rate)) view.set({ kept: [...kept, rate].slice(-COURSE.mostKept) });
    };
    view.controls(
      view.slider({ field: "learning_rate", label: "learning rate α", values: COURSE.rates }),
      view.slider({ field: "weight", label: "start at W", min: -2.5, max: 5, step: 0.1 }),
      view.player({ field: "step", max: () => COURSE.steps, interval: () => 350 }),
      view.button("Keep this curve", keep, "Leave the loss curve in the picture and try another learning rate"),
      view.button("Forget the curves", () => view.set({ kept: [] })),
      view.resetButton());
    view.draw((state) => {
      const { weight, learning_rate: rate, step, kept } = state, weights = descend(weight, rate, step), now = weights.at(-1), slope = slopeAt(now);
      fit.paint({ layers: [
        ...COURSE.points.map(([x, y]) => ({ line: [[x, y], [x, now * x]], colour: palette.highlight, width: 2 })),
        { line: [[-2, -2 * now], [2, 2 * now]], colour: palette.training, width: 3 },
        { points: COURSE.points, colour: palette.background, size: 5 },
      ] });
      const grid = Array.from({ length: 85 }, (_, index) => -3 + index / 10), tangent = [now - 1.3, now + 1.3];
      valley.paint({ layers: [
        { line: grid.map((w) => [w, lossAt(w)]), colour: palette.reference, width: 2.5 },
        { line: weights.map((w) => [w, lossAt(w)]), colour: palette.highlight, width: 1.5, dash: [4, 3] },
        { points: weights.slice(0, -1).map((w) => [w, lossAt(w)]), colour: palette.highlight, size: 3 },
        { line: tangent.map((w) => [w, lossAt(now) + slope * (w - now)]), colour: palette.negative, width: 2, name: "tangent" },
        { arrow: [[now, 0.5], [now - rate * slope, 0.5]], colour: palette.training, name: "next step" },
        { points: [[now, lossAt(now)]], colour: palette.training, size: 6 },
      ] });
      const shown = [...kept.filter((other) => other !== rate), rate];
      curves.paint({ layers: [...shown.map((other, index) => ({
        line: descend(weight, other, COURSE.steps).map((w, at) => [at, lossAt(w)]), name: `α = ${show(other)}: ${verdictOf(weight, other)}`,
        colour: other === rate ? palette.training : COURSE.sequence[1 + (index % 6)], width: other === rate ? 3 : 1.8, dash: other === rate ? undefined : [6, 3],
      })), { points: [[step, lossAt(now)]], colour: palette.training, size: 6 }] });
      chips[0].write(show(slope), slope > 0 ? "uphill to the right: go left" : slope < 0 ? "uphill to the left: go right" : "level");
      chips[1].write(show(-rate * slope), `to W = ${show(now - rate * slope)}`);
      chips[2].write(show(1 - COURSE.curvature * rate), "1 − α L″");
    });
  },
});
