// ---- the model: pure functions, twins of those in neighbourhood_regression.py ----

const side = COURSE.side, count = side * side, around = (value) => (value + side) % side;
const at = (field, row, col) => field[around(row) * side + around(col)];
const everywhere = (value) => Array.from({ length: count }, (_, place) => value(Math.floor(place / side), place % side, place));

function smooth(field) {
  const down = everywhere((row, col) => (at(field, row - 1, col) + 2 * at(field, row, col) + at(field, row + 1, col)) / 4);
  return everywhere((row, col) => (at(down, row, col - 1) + 2 * at(down, row, col) + at(down, row, col + 1)) / 4);
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function standardised(field) {
  const mean = meanOf(field), width = Math.sqrt(meanOf(field.map((value) => (value - mean) ** 2)));
  return field.map((value) => (value - mean) / width);
}

// Solve A x = b by elimination with pivots.
function solve(matrix, right) {
  const rows = matrix.map((row, index) => [...row, right[index]]), size = rows.length;
  for (let step = 0; step < size; step++) {
    let best = step;
    for (let row = step + 1; row < size; row++) if (Math.abs(rows[row][step]) > Math.abs(rows[best][step])) best = row;
    [rows[step], rows[best]] = [rows[best], rows[step]];
    for (let row = step + 1; row < size; row++) {
      const factor = rows[row][step] / rows[step][step];
      for (let col = step; col <= size; col++) rows[row][col] -= factor * rows[step][col];
    }
  }
  const result = Array(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    const known = result.reduce((sum, value, col) => sum + (col > row ? rows[row][col] * value : 0), 0);
    result[row] = (rows[row][size] - known) / rows[row][row];
  }
  return result;
}

function fit(design, target) {
  const size = design[0].length, half = count / 2;
  const matrix = Array.from({ length: size }, (_, one) => Array.from({ length: size }, (_, other) => {
    let sum = one === other ? 1e-6 * half : 0;
    for (let place = 0; place < half; place++) sum += design[place][one] * design[place][other];
    return sum;
  }));
  const right = Array.from({ length: size }, (_, one) => {
    let sum = 0;
    for (let place = 0; place < half; place++) sum += design[place][one] * target[place];
    return sum;
  });
  const weights = solve(matrix, right);
  return design.map((row) => row.reduce((sum, value, col) => sum + value * weights[col], 0));
}

const made = {};

function regressionMaps({ context, noise, seed }) {
  const key = [context, noise, seed].join(" ");
  if (made[key]) return made[key];
  const [smoothings, atomHeight] = COURSE.topograph;
  let hills = normal(seed, COURSE.streams[0], count);
  for (let turn = 0; turn < smoothings; turn++) hills = smooth(hills);
  hills = standardised(hills);
  const atoms = standardised(smooth(normal(seed, COURSE.streams[1], count)));
  const heights = standardised(hills.map((value, place) => value + atomHeight * atoms[place])), flat = smooth(smooth(heights));
  const standingOut = standardised(heights.map((value, place) => value - flat[place]));
  const signal = standardised(heights.map((value, place) => (1 - context) * value + context * standingOut[place]));
  const random = normal(seed, COURSE.streams[2], count), gaps = signal.map((value, place) => value + noise * random[place]);
  const reach = (COURSE.patch - 1) / 2, shifts = Array.from({ length: COURSE.patch }, (_, index) => index - reach);
  const designs = [
    heights.map((value) => [value, 1]),
    everywhere((row, col) => [...shifts.flatMap((down) => shifts.map((right) => at(heights, row + down, col + right))), 1]),
  ];
  const judged = gaps.slice(count / 2), mean = meanOf(judged), spread = judged.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const [one, other] = designs.map((design) => {
    const prediction = fit(design, gaps);
    const error = judged.reduce((sum, value, place) => sum + (value - prediction[count / 2 + place]) ** 2, 0);
    return { prediction, r2: 1 - error / spread };
  });
  const [middle, scale, pm] = COURSE.scales, inMev = (field) => field.map((value) => middle + scale * value);
  return (made[key] = {
    heights: heights.map((value) => pm * value), gaps: inMev(gaps), byPixel: inMev(one.prediction), byPatch: inMev(other.prediction),
    r2Pixel: one.r2, r2Patch: other.r2,
  });
}

const hundredth = (value) => (Math.floor(value * 100 + 0.5) / 100).toFixed(2).replace("-", "−");

function regressionSummary(state) {
  const { r2Pixel, r2Patch } = regressionMaps(state);
  return `Single pixels explain R² = ${hundredth(r2Pixel)} of the lower half of the gap map, patches of 5 × 5 explain R² = ${hundredth(r2Patch)}.`;
}

// ---- the view ----

const rowsOf = (field) => Array.from({ length: side }, (_, row) => field.slice(row * side, (row + 1) * side));

export { regressionMaps, regressionSummary };
export default explorable({
  summary: regressionSummary,
  predict: {
    question: "The gap depends on how far a pixel stands out of its surroundings. How much of it can a prediction explain that sees one pixel at a time?",
    options: ["almost nothing", "about a half", "almost all"],
    reveal: (guess, opening) => `${guess === "almost nothing" ? "Right: " : ""}R² = ${hundredth(regressionMaps({ ...opening, prediction: null }).r2Pixel)}. High ground can lie in a high or in a low neighbourhood; only the ` +
      "difference counts, and a difference needs neighbours.",
  },
  build(view) {
    const picture = (label) => view.grid({ label, cell: 9 });
    const [heights, gaps, byPixel, byPatch] = ["topograph: height (pm)", "gap (meV)", "predicted, by pixel", "predicted, by patch"].map(picture);
    const scatter = ["by pixel", "by patch"].map((label) => axesPicture(view, { label: `lower half, ${label}`, wide: 300, high: 235,
      x: { label: "true gap (meV)", low: 12, high: 68 }, y: { label: "predicted (meV)", low: 12, high: 68 } }));
    view.stage(heights.panel, gaps.panel, view.veil(element("div", {}, byPixel.panel)), view.veil(element("div", {}, byPatch.panel)),
      ...scatter.map(({ panel }) => view.veil(element("div", {}, panel))));
    view.controls(
      view.slider({ field: "context", label: "neighbourhood matters", max: 1, step: 0.05 }),
      view.slider({ field: "noise", label: "noise / signal", max: 2, step: 0.05 }),
      view.slider({ field: "seed", label: "another sample", max: 99 }), view.resetButton());
    view.draw((state) => {
      const now = regressionMaps(state), [middle] = COURSE.scales, colour = diverging(24), around40 = (value) => colour(value - middle);
      heights.paint({ values: rowsOf(now.heights), colour: diverging(36) });
      gaps.paint({ values: rowsOf(now.gaps), colour: around40 });
      byPixel.paint({ values: rowsOf(now.byPixel), colour: around40, title: `by pixel, R² = ${hundredth(now.r2Pixel)}` });
      byPatch.paint({ values: rowsOf(now.byPatch), colour: around40, title: `by patch, R² = ${hundredth(now.r2Patch)}` });
      [now.byPixel, now.byPatch].forEach((prediction, index) => scatter[index].paint({ layers: [
        { line: [[12, 12], [68, 68]], colour: COURSE.palette.reference, dash: [5, 4], width: 1.5 },
        { points: prediction.slice(count / 2).map((value, place) => [now.gaps[count / 2 + place], value]), colour: COURSE.palette.test, size: 2, dim: 0.7 },
      ] }));
    });
  },
});
