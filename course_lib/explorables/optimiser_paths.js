// ---- the model: pure functions, twins of those in optimiser_paths.py ----

function randomNumbers(seed, count) {
  let state = ((seed + 1) * 1000003) % 2147483647;
  return Array.from({ length: count }, () => (state = (state * 16807) % 2147483647) / 2147483647);
}

function lossAt(landscape, [x, y]) {
  const { minimum, curvature: [[a, b], [, d]], lowest } = COURSE.landscapes[landscape], u = x - minimum[0], v = y - minimum[1];
  return lowest + 0.5 * (a * u * u + 2 * b * u * v + d * v * v);
}

function gradientAt(landscape, [x, y], indices) {
  if (!indices) {
    const { minimum, curvature: [[a, b], [, d]] } = COURSE.landscapes[landscape], u = x - minimum[0], v = y - minimum[1];
    return [a * u + b * v, b * u + d * v];
  }
  const sum = [0, 0];
  for (const index of indices) {
    const [place, value] = COURSE.points[index], residual = x * place + y - value;
    sum[0] += 2 * residual * place;
    sum[1] += 2 * residual;
  }
  return sum.map((value) => value / indices.length);
}

function descend({ landscape, optimiser, learning_rate: rate, beta, batch_size: size, start, step: count, seed }) {
  const all = COURSE.points.length, batches = landscape === "line" && size < all;
  const drawn = batches ? randomNumbers(seed, count * size) : [];
  const points = [[...start]], gradients = [], memories = [], first = [0, 0], second = [0, 0];
  for (let step = 1; step <= count; step++) {
    const indices = batches && drawn.slice((step - 1) * size, step * size).map((value) => Math.floor(value * all));
    const slope = gradientAt(landscape, points.at(-1), indices), memory = [0, 0];
    const next = slope.map((g, axis) => {
      let move;
      if (optimiser === "sgd") move = -rate * g;
      else if (optimiser === "momentum") {
        memory[axis] = beta * first[axis];
        move = first[axis] = memory[axis] + (1 - beta) * -rate * g;
      } else if (optimiser === "adam") {
        // The running means stay raw; copies of them are corrected for the start at zero.
        const old = first[axis];
        first[axis] = beta * old + (1 - beta) * g;
        second[axis] = 0.999 * second[axis] + 0.001 * g * g;
        const scale = Math.sqrt(second[axis] / (1 - 0.999 ** step)) + 1e-8;
        move = (-rate * first[axis]) / (1 - beta ** step) / scale;
        memory[axis] = (-rate * beta * old) / (1 - beta ** step) / scale;
      } else {
        second[axis] = optimiser === "adagrad" ? second[axis] + g * g : beta * second[axis] + (1 - beta) * g * g;
        move = (-rate * g) / (Math.sqrt(second[axis]) + 1e-8);
      }
      return points.at(-1)[axis] + move;
    });
    points.push(next);
    gradients.push(slope);
    memories.push(memory);
    if (Math.max(...next.map(Math.abs)) > COURSE.far) break;
  }
  return { points, gradients, memories };
}

const nameOf = (optimiser) => COURSE.optimisers.find(([key]) => key === optimiser)[1];

function pathSummary(state) {
  const { axes, box: [left, right, low, high] } = COURSE.landscapes[state.landscape], [x, y] = descend(state).points.at(-1);
  const head = `${nameOf(state.optimiser)} with α = ${state.learning_rate}`, steps = `${state.step} step${state.step === 1 ? "" : "s"}`;
  if (!(2 * left < x && x < 2 * right && 2 * low < y && y < 2 * high)) return `${head} has left the picture after ${steps}.`;
  return `${head} is at ${axes[0]} = ${show(x)}, ${axes[1]} = ${show(y)} after ${steps}, with a loss of ${show(lossAt(state.landscape, [x, y]))}.`;
}

// ---- the view ----

// A contour of a quadratic loss is an ellipse; its points come from the Cholesky factor of the curvature.
function contour({ minimum, curvature: [[a, b], [, d]] }, height) {
  const l11 = Math.sqrt(a), l21 = b / l11, l22 = Math.sqrt(d - l21 * l21), radius = Math.sqrt(2 * height);
  return Array.from({ length: 73 }, (_, index) => {
    const angle = (index * Math.PI) / 36, v = (radius * Math.sin(angle)) / l22;
    return [minimum[0] + (radius * Math.cos(angle) - l21 * v) / l11, minimum[1] + v];
  });
}

export { descend, gradientAt, lossAt };
export default explorable({
  summary: pathSummary,
  change: (changes) => (changes.landscape ? { start: changes.landscape === "line" ? [-1, 2.5] : [-4.2, 1.2], ...changes } : changes),
  predict: {
    question: "The valley has the curvature 1 along x and 25 along y. Above which learning rate does plain descent explode?",
    options: ["0.04", "0.08", "0.4", "2"],
    reveal: (guess) => `${guess === "0.08" ? "Right. " : ""}The steepest direction decides: 2/25 = 0.08. Along x, 2 would still be fine; so α must be small for y, and x crawls. Now try momentum with α = 0.3.`,
  },
  build(view) {
    const palette = COURSE.palette, clip = (value) => Math.round(Math.max(-10, Math.min(10, value)) * 100) / 100;
    const colourOf = (optimiser) => COURSE.sequence[COURSE.optimisers.findIndex(([key]) => key === optimiser)];
    const move = (x, y) => view.set({ start: [clip(x), clip(y)] });
    const map = axesPicture(view, {
      label: "contours of the loss: click or drag a start", wide: 480, high: 340, pick: move,
      walk: (dx, dy) => move(view.state.start[0] + 0.1 * dx, view.state.start[1] + 0.1 * dy),
    });
    const curve = axesPicture(view, { label: "loss along the path", wide: 380, high: 200, x: { label: "step", low: 0, high: COURSE.steps } });
    const sum = axesPicture(view, { label: "the last step as a sum of vectors", wide: 380, high: 200 });
    view.stage(view.veil(element("div", {}, map.panel)), view.veil(element("div", { class: "ce-column" }, curve.panel, sum.panel)));
    view.controls(
      view.choice({ field: "landscape", label: "loss", options: Object.entries(COURSE.landscapes).map(([key, { label }]) => [key, label]) }),
      view.choice({ field: "optimiser", label: "strategy", options: COURSE.optimisers }),
      view.slider({ field: "learning_rate", label: "learning rate α", values: COURSE.rates, write: String }),
      view.slider({ field: "beta", label: "memory β", max: 0.99, step: 0.01, off: ({ optimiser }) => ["sgd", "adagrad"].includes(optimiser) }),
      view.slider({ field: "batch_size", label: "batch size k", values: COURSE.batchSizes, off: ({ landscape }) => landscape !== "line" }),
      view.slider({ field: "step", label: "steps shown", max: COURSE.steps }),
      view.player({ field: "step", max: () => COURSE.steps, interval: () => 120 }),
      view.toggle({ field: "compare", label: "draw all five" }),
      view.button("Other batches", () => view.set({ seed: (view.state.seed + 1) % 100 }), "Draw the minibatches anew"),
      view.resetButton());
    view.draw((state) => {
      const form = COURSE.landscapes[state.landscape], [left, right, low, high] = form.box, { points, gradients, memories } = descend(state);
      const others = state.compare ? COURSE.optimisers.map(([key]) => key).filter((key) => key !== state.optimiser) : [];
      const paths = [...others.map((optimiser) => [optimiser, descend({ ...state, optimiser }).points]), [state.optimiser, points]];
      map.paint({
        x: { label: `${form.axes[0]} (1)`, low: left, high: right }, y: { label: `${form.axes[1]} (1)`, low, high },
        layers: [
          ...Array.from({ length: 10 }, (_, index) => ({ line: contour(form, 0.02 * 2.3 ** index), colour: palette.reference, width: 1, dim: 0.7 })),
          { points: [form.minimum], colour: palette.highlight, size: 6, shape: "cross" },
          ...paths.map(([optimiser, path]) => ({ line: path, colour: colourOf(optimiser), width: optimiser === state.optimiser ? 2.5 : 1.5, name: nameOf(optimiser) })),
          { points, colour: colourOf(state.optimiser), size: 2.5 },
          { points: [points.at(-1)], colour: palette.highlight, size: 6 },
        ],
      });
      // What is below the lowest loss of the axis lies on its floor.
      const floor = state.landscape === "line" ? form.lowest / 2 : 1e-4;
      curve.paint({
        y: { label: "loss (1)", log: true, low: floor, high: 200 },
        layers: paths.map(([optimiser, path]) => ({ line: path.map((point, at) => [at, Math.max(floor, lossAt(state.landscape, point))]), colour: colourOf(optimiser), width: optimiser === state.optimiser ? 2.5 : 1.5 })),
      });
      const [from, to] = [points.at(-2) || points[0], points.at(-1)], moved = [to[0] - from[0], to[1] - from[1]];
      const memory = memories.at(-1) || [0, 0], fresh = [moved[0] - memory[0], moved[1] - memory[1]], zero = [0, 0];
      const reach = 1.25 * Math.max(...[moved, memory, fresh].flat().map(Math.abs), 1e-6), wide = reach * 2.1;
      const remembers = ["momentum", "adam"].includes(state.optimiser);
      sum.paint({
        x: { label: `step along ${form.axes[0]} (1)`, low: -wide, high: wide }, y: { label: `along ${form.axes[1]}`, low: -reach, high: reach },
        describe: gradients.length ? `step ${show(moved[0])}, ${show(moved[1])}` : "no step yet",
        layers: [
          ...(remembers ? [{ arrow: [zero, memory], colour: palette.reference, name: "memory of earlier steps" }] : []),
          { arrow: [remembers ? memory : zero, moved], colour: palette.highlight, width: 3, name: "from the slope here" },
          { arrow: [zero, moved], name: "step" },
        ],
      });
    });
  },
});
