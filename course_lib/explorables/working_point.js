// ---- the model: pure functions, twins of those in working_point.py ----

const N_EVENTS = 1000, PLACES = Array.from({ length: 641 }, (_, at) => -8 + at * 0.025);

// Complementary error function by a rational approximation of Chebyshev type; the relative error stays below 1.2e-7.
function tail(x) {
  const z = x / Math.SQRT2, t = 1 / (1 + 0.5 * Math.abs(z));
  const terms = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];
  const half = 0.5 * t * Math.exp(-z * z + terms.reduceRight((sum, term) => sum * t + term, 0));
  return z >= 0 ? half : 1 - half;
}

function ratesAt(place, { separation, prevalence }) {
  const efficiency = tail(place - separation / 2), falsePositiveRate = tail(place + separation / 2);
  const accepted = prevalence * efficiency + (1 - prevalence) * falsePositiveRate;
  return {
    efficiency, falsePositiveRate, purity: accepted > 0 ? (prevalence * efficiency) / accepted : 1,
    accuracy: prevalence * efficiency + (1 - prevalence) * (1 - falsePositiveRate),
  };
}

const placeOf = (output, separation) => Math.log(output / (1 - output)) / separation;
const ratesOf = (state) => ratesAt(placeOf(state.threshold, state.separation), state);

function areasOf(state) {
  const rates = PLACES.map((place) => ratesAt(place, state));
  let [auc, impurity] = [0, 0];
  for (let at = 1; at < rates.length; at++) {
    const [left, right] = [rates[at], rates[at - 1]];
    auc += ((left.efficiency + right.efficiency) / 2) * (right.falsePositiveRate - left.falsePositiveRate);
    impurity += (1 - (left.purity + right.purity) / 2) * (right.efficiency - left.efficiency);
  }
  return [auc, impurity];
}

function pointSummary(state) {
  const { efficiency, purity, accuracy } = ratesOf(state), [auc, impurity] = areasOf(state);
  return `Above ${show(state.threshold)}: efficiency ${show(efficiency)}, purity ${show(purity)}, accuracy ${show(accuracy)}; area under the ROC curve ${show(auc)}, under 1 − purity against efficiency ${show(impurity)}.`;
}

export { ratesOf, areasOf };
export default explorable({
  summary: pointSummary,
  predict: {
    question: "Class A becomes ten times rarer; the network and the threshold stay. What falls?",
    options: ["the purity", "the area under the ROC curve", "both", "neither"],
    reveal: (guess) => `${guess === "the purity" ? "Right. " : ""}The purity falls: there are ten times as many others to leak in for each A. Efficiency, false-positive rate and the area under their curve are shares within a class; they do not know how rare A is.`,
  },
  build(view) {
    const palette = COURSE.palette;
    const scores = axesPicture(view, { label: "output of the network (drag the threshold)", x: { label: "network output p(A)", low: 0, high: 1 }, y: { label: "events a bin", low: 0, high: 100 }, wide: 350, high: 300, pick: (x) => view.set({ threshold: Math.round(Math.max(0.01, Math.min(0.99, x)) * 100) / 100 }) });
    const curve = axesPicture(view, { label: "all thresholds", x: { low: 0, high: 1 }, y: { low: 0, high: 1 }, wide: 310, high: 300 });
    const table = view.grid({ label: `table of ${N_EVENTS} events`, cell: 74, largest: 160 });
    const tableNote = element("figcaption", {}, "rows: accepted, rejected", element("br"), "columns: truly A, truly not A");
    const chips = ["efficiency", "purity", "accuracy", "area (AUC)", "area of 1 − purity"].map((label) => view.chip(label));
    view.stage(scores.panel, element("div", { class: "ce-column" }, table.panel, tableNote), view.veil(element("div", {}, curve.panel)));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    view.controls(
      view.slider({ field: "threshold", label: "threshold v", min: 0.01, max: 0.99, step: 0.01 }),
      view.slider({ field: "separation", label: "separation", unit: "widths", min: 0.25, max: 3, step: 0.25 }),
      view.segments({ field: "prevalence", label: "share of class A", options: [[0.5, "50 %"], [0.2, "20 %"], [0.05, "5 %"], [0.01, "1 %"]] }),
      view.segments({ field: "curve", label: "curve", options: [["roc", "efficiency / false positives"], ["purity", "1 − purity / efficiency"]] }),
      view.resetButton());
    view.draw((state) => {
      const { efficiency, falsePositiveRate, purity, accuracy } = ratesOf(state), [auc, impurity] = areasOf(state);
      const share = { a: state.prevalence * N_EVENTS, other: (1 - state.prevalence) * N_EVENTS }, bins = 25;
      const counts = (total, shift) => Array.from({ length: bins }, (_, at) => {
        const edge = (k) => (k <= 0 ? 1 : k >= bins ? 0 : tail(placeOf(k / bins, state.separation) - shift));
        return [(at + 0.5) / bins, total * (edge(at) - edge(at + 1))];
      });
      const classes = [counts(share.other, -state.separation / 2), counts(share.a, state.separation / 2)];
      scores.paint({ y: { high: Math.max(...classes.flat().map(([, count]) => count)) * 1.08 }, layers: [
        { bars: classes[0], width: 0.9 / bins, colour: palette.background, dim: 0.75, name: "not A" },
        { bars: classes[1], width: 0.5 / bins, colour: palette.signal, dim: 0.9, name: "class A" },
        { vertical: state.threshold, colour: palette.highlight, width: 3, name: "threshold" }] });
      const cells = [[share.a * efficiency, share.other * falsePositiveRate], [share.a * (1 - efficiency), share.other * (1 - falsePositiveRate)]];
      table.paint({ values: cells, colour: intensity(0, N_EVENTS), write: (value) => String(Math.round(value)), describe: cells.flat().map(Math.round).join(", ") });
      const usual = state.curve === "roc", rates = PLACES.filter((_, at) => at % 4 === 0).map((place) => ratesAt(place, state));
      const at = (each) => (usual ? [each.falsePositiveRate, each.efficiency] : [each.efficiency, 1 - each.purity]);
      curve.paint({
        x: { label: usual ? "false-positive rate" : "efficiency" }, y: { label: usual ? "efficiency" : "1 − purity" },
        layers: [
          ...(usual ? [{ line: [[0, 0], [1, 1]], colour: view.theme.muted, dash: [4, 4], width: 1, name: "guessing" }] : []),
          { line: rates.map(at), colour: view.theme.ink, name: "all thresholds" },
          { points: [at(ratesOf(state))], colour: palette.highlight, size: 7, name: "working point" }],
      });
      [efficiency, purity, accuracy, auc, impurity].forEach((value, index) => chips[index].write(show(value), ["of all A are found", "of the accepted are A", "right answers", "of the ROC curve", "depends on how rare A is"][index]));
    });
  },
});
