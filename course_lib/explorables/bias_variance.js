// ---- the model: pure functions, twins of those in bias_variance.py ----

const N_REFITS = 50, HIGHEST = 9, LARGE = 100, TURN = 2 * Math.PI;
const GRID = Array.from({ length: 91 }, (_, at) => 0.05 + at * 0.01);
const truth = (x) => Math.sin(TURN * x);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function measuredPoints(count, noise, seed) {
  const x = uniform(seed, 0, count), error = normal(seed, 2, count);
  return { x, y: x.map((place, at) => truth(place) + noise * error[at]) };
}

// Legendre polynomials of 2 x - 1, degrees 0 to HIGHEST.
function legendre(x) {
  const t = 2 * x - 1, row = [1, t];
  for (let k = 1; k < HIGHEST; k++) row.push(((2 * k + 1) * t * row[k] - k * row[k - 1]) / (k + 1));
  return row;
}
const GRID_ROWS = GRID.map(legendre);

// Predictions of every degree on the grid. The columns of the basis are made orthogonal one after the other, twice
// each for the sake of rounding; the columns of the grid go along.
function fitAll({ x, y }) {
  const rows = x.map(legendre), q = [], gridQ = [], sums = [];
  let prediction = GRID.map(() => 0);
  for (let degree = 0; degree <= HIGHEST; degree++) {
    const column = rows.map((row) => row[degree]), onGrid = GRID_ROWS.map((row) => row[degree]);
    for (let round = 0; round < 2; round++) {
      q.forEach((other, k) => {
        const overlap = other.reduce((sum, value, at) => sum + value * column[at], 0);
        other.forEach((value, at) => { column[at] -= overlap * value; });
        gridQ[k].forEach((value, at) => { onGrid[at] -= overlap * value; });
      });
    }
    const length = Math.hypot(...column);
    q.push(column.map((value) => value / length));
    gridQ.push(onGrid.map((value) => value / length));
    const share = q[degree].reduce((sum, value, at) => sum + value * y[at], 0);
    prediction = prediction.map((value, at) => value + share * gridQ[degree][at]);
    sums.push(prediction);
  }
  return sums;
}

let known = { key: "" };
function refits({ n_points: count, noise, seed }) {
  const key = [count, noise, seed].join();
  if (known.key !== key) {
    const fits = Array.from({ length: N_REFITS }, (_, fit) => fitAll(measuredPoints(count, noise, 100 * seed + fit)));
    known = { key, byDegree: Array.from({ length: HIGHEST + 1 }, (_, degree) => fits.map((each) => each[degree])) };
    known.parts = known.byDegree.map(decompose);
  }
  return known;
}

function decompose(predictions) {
  let [squaredBias, variance] = [0, 0];
  GRID.forEach((x, at) => {
    const here = predictions.map((each) => each[at]), middle = mean(here);
    squaredBias += (middle - truth(x)) ** 2 / GRID.length;
    variance += mean(here.map((value) => (value - middle) ** 2)) / GRID.length;
  });
  return [squaredBias, variance];
}

function shots({ bias, spread, n_shots: count, seed, calibrated }) {
  const [x, y] = [normal(seed, 4, count), normal(seed, 6, count)], shift = calibrated ? 0 : bias;
  return x.map((value, at) => [0.8 * shift + spread * value, 0.6 * shift + spread * y[at]]);
}

function shotParts(state) {
  const places = shots(state), middle = [0, 1].map((axis) => mean(places.map((place) => place[axis])));
  const variance = [0, 1].reduce((sum, axis) => sum + mean(places.map((place) => (place[axis] - middle[axis]) ** 2)), 0);
  return [middle[0] ** 2 + middle[1] ** 2, variance, middle];
}

const partsOf = (state) => (state.view === "darts" ? shotParts(state).slice(0, 2) : refits(state).parts[state.degree]);
const total = ([squaredBias, variance]) => squaredBias + variance;
function bestDegree(state) {
  const sums = refits(state).parts.map(total);
  return sums.indexOf(Math.min(...sums));
}
const briefly = (value) => (value >= LARGE ? `over ${LARGE}` : show(value));

function biasSummary(state) {
  const [squaredBias, variance] = partsOf(state);
  if (state.view === "darts") {
    return `${state.n_shots} shots${state.calibrated ? ", calibrated" : ""}: squared bias ${show(squaredBias)} cm² plus variance ${show(variance)} cm² make the mean squared distance ${show(squaredBias + variance)} cm².`;
  }
  return `Degree ${state.degree}, ${N_REFITS} data sets of ${state.n_points} points: squared bias ${briefly(squaredBias)}, variance ${briefly(variance)}, noise of the data ${show(state.noise ** 2)}; smallest error at degree ${bestDegree(state)}.`;
}

export { decompose, partsOf, measuredPoints, bestDegree };
export default explorable({
  summary: biasSummary,
  predict: {
    question: "25 noisy points of a sine, fitted by a polynomial. Which degree is best for new data?",
    options: ["1", "3", "5", "9"],
    reveal: (guess) => `${guess === "3" ? "Right. " : ""}Degree 3. A straight line cannot bend like the sine (bias); from degree 5 on the curve follows the noise of its own data set (variance).`,
  },
  build(view) {
    const palette = COURSE.palette, parts = ["#7b3fb5", "#e8820c"];
    const curves = axesPicture(view, { label: "fits to 50 data sets", x: { label: "x", low: 0, high: 1 }, y: { label: "y", low: -2.2, high: 2.2 }, wide: 440, high: 300 });
    const board = axesPicture(view, { label: "shots at the cross", x: { label: "x (cm)", low: -20, high: 20 }, y: { label: "y (cm)", low: -20, high: 20 }, wide: 360, high: 330 });
    const errors = axesPicture(view, { label: "what the error is made of", x: { label: "degree", low: -0.3, high: 9.3 }, y: { label: "part of the error", low: 0.001, high: 100, log: true }, wide: 400, high: 300 });
    const chips = ["bias²", "variance", "sum"].map((label) => view.chip(label));
    view.stage(curves.panel, board.panel, view.veil(element("div", {}, errors.panel)));
    view.note(view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))));
    const forPolynomials = [
      view.slider({ field: "degree", label: "degree", min: 0, max: HIGHEST }),
      view.slider({ field: "n_points", label: "points", min: 15, max: 60 }),
      view.slider({ field: "noise", label: "noise σ", min: 0, max: 0.6, step: 0.05 })];
    const forDarts = [
      view.slider({ field: "bias", label: "bias", unit: "cm", min: 0, max: 12, step: 0.5 }),
      view.slider({ field: "spread", label: "spread", unit: "cm", min: 0, max: 6, step: 0.25 }),
      view.slider({ field: "n_shots", label: "shots", min: 5, max: 200 }),
      view.toggle({ field: "calibrated", label: "calibrate: take the known bias off" })];
    view.controls(
      view.segments({ field: "view", label: "repeat", options: [["polynomials", "a fit"], ["darts", "a throw"]] }),
      ...forPolynomials, ...forDarts,
      view.button("New data", () => view.set({ seed: (view.state.seed + 1) % 100 })), view.resetButton());
    view.draw((state) => {
      const darts = state.view === "darts", [squaredBias, variance] = partsOf(state);
      forPolynomials.forEach((node) => { node.hidden = darts; });
      forDarts.forEach((node) => { node.hidden = !darts; });
      [curves.panel.hidden, errors.panel.parentNode.hidden, board.panel.hidden] = [darts, darts, !darts];
      const unit = darts ? " cm²" : "";
      chips[0].write(briefly(squaredBias) + unit, "shift of the mean");
      chips[1].write(briefly(variance) + unit, "scatter about the mean");
      chips[2].write(briefly(squaredBias + variance) + unit, darts ? "mean squared distance" : `new data add σ² = ${show(state.noise ** 2)}`);
      if (darts) {
        const [, , middle] = shotParts(state);
        const ring = (radius) => Array.from({ length: 61 }, (_, at) => [radius * Math.cos(at * TURN / 60), radius * Math.sin(at * TURN / 60)]);
        board.paint({ layers: [
          ...[5, 10, 15].map((radius) => ({ line: ring(radius), colour: view.theme.line, width: 1 })),
          { points: shots(state), colour: palette.training, size: 3.5, dim: 0.75, name: "shots" },
          { arrow: [[0, 0], middle], colour: parts[0] },
          { points: [[0, 0]], shape: "cross", size: 7, colour: view.theme.ink, name: "target" },
          { points: [middle], shape: "square", size: 5, colour: parts[0], name: "mean of the shots" }] });
        return;
      }
      const fits = refits(state), { x, y } = measuredPoints(state.n_points, state.noise, 100 * state.seed);
      const predictions = fits.byDegree[state.degree], line = (values) => GRID.map((place, at) => [place, values[at]]);
      curves.paint({ layers: [
        ...predictions.map((values, at) => ({ line: line(values), colour: palette.training, width: 1, dim: at ? 0.22 : 1 })),
        { line: line(GRID.map(truth)), colour: view.theme.muted, dash: [7, 4], width: 2.5, name: "truth" },
        { line: line(GRID.map((_, at) => mean(predictions.map((each) => each[at])))), colour: parts[0], width: 3, name: "mean of the fits" },
        { points: x.map((place, at) => [place, y[at]]), colour: view.theme.ink, size: 3.5, name: "first data set" }] });
      const curve = (pick) => fits.parts.map((each, degree) => [degree, Math.max(pick(each), 1e-4)]);
      errors.paint({ layers: [
        { vertical: state.degree, colour: palette.highlight },
        { line: curve(([b]) => b), colour: parts[0], name: "bias²" },
        { line: curve(([, v]) => v), colour: parts[1], dash: [6, 4], name: "variance" },
        { line: curve(total), colour: view.theme.ink, width: 3, name: "sum" }] });
    });
  },
});
