// ---- the model: pure functions, twins of those in function_approximator.py ----

const steps = (count, from = -1, to = 1) => Array.from({ length: count }, (_, at) => from + (at * (to - from)) / (count - 1));
const GRID = steps(401), TRAINING_GRID = steps(41);

function target({ target: kind, heights }, x) {
  if (kind === "sine") return Math.sin(Math.PI * x);
  if (kind === "steep") return Math.tanh(12 * x);
  if (kind === "jump") return x < 0 ? -1 : 1;
  if (kind === "curve") {
    const u = 5 * x;
    const above = Math.sqrt(Math.abs(u)) + 0.1 * u + 0.01 * u ** 2 + 1 - Math.sin(u) + 0.5 * Math.exp(u / 10);
    return above / (0.5 + Math.abs(Math.cos(u))) / 5 - 0.8;
  }
  const place = Math.max(0, Math.min(8, 4 * (x + 1))), left = Math.min(7, Math.floor(place)), [row] = heights;
  return row[left] + (place - left) * (row[left + 1] - row[left]);
}

function answer({ kind, weights, biases, factors, constant }, x) {
  let sum = constant;
  for (let at = 0; at < factors.length; at++) {
    const y = weights[at] * x + biases[at];
    if (kind === "step") sum += factors[at] / (1 + Math.exp(-y));
    else if (y > 0) sum += factors[at] * y;
  }
  return sum;
}

function reluFit(state, n) {
  const diagonal = Array(n + 1).fill(0), beside = Array(n + 1).fill(0), heights = Array(n + 1).fill(0);
  for (const x of GRID) {
    const place = ((x + 1) * n) / 2, left = Math.min(n - 1, Math.floor(place)), share = place - left, value = target(state, x);
    diagonal[left] += (1 - share) ** 2;
    diagonal[left + 1] += share ** 2;
    beside[left + 1] += share * (1 - share);
    heights[left] += (1 - share) * value;
    heights[left + 1] += share * value;
  }
  // Elimination for three diagonals: down, then up.
  for (let at = 1; at <= n; at++) {
    const ratio = beside[at] / diagonal[at - 1];
    diagonal[at] -= ratio * beside[at];
    heights[at] -= ratio * heights[at - 1];
  }
  heights[n] /= diagonal[n];
  for (let at = n - 1; at >= 0; at--) heights[at] = (heights[at] - beside[at + 1] * heights[at + 1]) / diagonal[at];
  const slopes = Array.from({ length: n }, (_, at) => ((heights[at + 1] - heights[at]) * n) / 2);
  return {
    kind: "relu", weights: Array(n).fill(1), biases: slopes.map((_, at) => 1 - (2 * at) / n),
    factors: slopes.map((slope, at) => slope - (at ? slopes[at - 1] : 0)), constant: heights[0],
  };
}

function stepSum(state, n) {
  const width = 2 / (n + 1), weight = state.sharpness / width;
  const middles = Array.from({ length: n + 1 }, (_, at) => target(state, -1 + width * (at + 0.5)));
  const edges = Array.from({ length: n }, (_, at) => -1 + width * (at + 1));
  return {
    kind: "step", weights: edges.map(() => weight), biases: edges.map((edge) => -weight * edge),
    factors: edges.map((_, at) => middles[at + 1] - middles[at]), constant: middles[0],
  };
}

const construct = (state, n) => (state.kind === "step" ? stepSum(state, n) : reluFit(state, n));

function firstWeights(n, seed) {
  const directions = uniform(seed, 0, n).map((value) => (value < 0.5 ? -1 : 1));
  const kinks = uniform(seed, 1, n).map((value) => 2 * value - 1);
  const factors = uniform(seed, 2, n).map((value) => (2 * value - 1) / Math.sqrt(n));
  return [...directions, ...kinks.map((kink, at) => -directions[at] * kink), ...factors, 0];
}

// The training goes on where it was: only the new rounds cost time.
let training = { key: "", rounds: 0 };
function trainedNetwork(state) {
  const n = state.nodes, key = JSON.stringify([state.target, state.heights, n, state.seed]);
  if (training.key !== key || training.rounds > state.rounds) {
    const p = firstWeights(n, state.seed);
    training = { key, rounds: 0, count: 0, p, first: p.map(() => 0), second: p.map(() => 0) };
  }
  const { p, first, second } = training, values = TRAINING_GRID.map((x) => target(state, x));
  for (; training.rounds < state.rounds; training.rounds++) {
    for (let step = 0; step < COURSE.stepsPerRound; step++) {
      const gradient = new Float64Array(p.length);
      TRAINING_GRID.forEach((x, place) => {
        let z = 0;
        for (let at = 0; at < n; at++) z += p[2 * n + at] * Math.max(0, p[at] * x + p[n + at]);
        const error = (2 * (z + p[3 * n] - values[place])) / values.length;
        gradient[3 * n] += error;
        for (let at = 0; at < n; at++) {
          const y = p[at] * x + p[n + at];
          if (y <= 0) continue;
          gradient[at] += error * p[2 * n + at] * x;
          gradient[n + at] += error * p[2 * n + at];
          gradient[2 * n + at] += error * y;
        }
      });
      training.count++;
      for (let at = 0; at < p.length; at++) {
        first[at] = 0.9 * first[at] + (1 - 0.9) * gradient[at];
        second[at] = 0.999 * second[at] + (1 - 0.999) * gradient[at] ** 2;
        p[at] -= (0.02 * first[at]) / (1 - 0.9 ** training.count) / (Math.sqrt(second[at] / (1 - 0.999 ** training.count)) + 1e-8);
      }
    }
  }
  return { kind: "relu", weights: p.slice(0, n), biases: p.slice(n, 2 * n), factors: p.slice(2 * n, 3 * n), constant: p[3 * n] };
}

const largestError = (network, state) => Math.max(...GRID.map((x) => Math.abs(answer(network, x) - target(state, x))));

const approximatorReconcile = (state) => (state.kind === "step" ? { ...state, rounds: 0 } : state);

function approximatorSummary(state) {
  const one = state.nodes === 1, node = (state.kind === "relu" ? "ReLU node" : "sigmoid step") + (one ? "" : "s");
  const name = { points: "line through your points", jump: "jump", steep: "steep step", curve: "wiggly curve" }[state.target] || state.target;
  const error = show(largestError(construct(state, state.nodes), state));
  const trained = state.rounds
    ? `; ${COURSE.stepsPerRound * state.rounds} gradient steps from random weights reach ${show(largestError(trainedNetwork(state), state))}` : "";
  return `Inside the interval ${state.nodes} ${node} ${one ? "stays" : "stay"} within ${error} of the ${name}${trained}.`;
}

// ---- the view ----

export { construct, firstWeights, largestError, target, trainedNetwork };
export default explorable({
  reconcile: approximatorReconcile,
  summary: approximatorSummary,
  // What is trained is one network: another number of nodes is another network.
  change: (changes) => (["target", "kind", "nodes", "heights", "seed"].some((name) => name in changes) ? { rounds: 0, ...changes } : changes),
  predict: {
    question: "The target is a sine, the nodes are ReLU. The number of nodes is doubled: the largest error becomes smaller by a factor of about",
    options: ["√2", "2", "4"],
    reveal: (guess) => `${guess === "4" ? "Right. " : ""}About 4: a curve leaves its chord by the square of the chord's length. On log-log axes that is a straight line of slope −2.`,
  },
  build(view) {
    const { palette } = COURSE, places = steps(9);
    const curves = axesPicture(view, {
      label: "target and network", x: { label: "x", low: -1, high: 1 }, y: { label: "z(x)", low: -1.7, high: 1.7 }, wide: 500, high: 310,
      pick(x, y) {
        if (view.state.target !== "points") return;
        const at = Math.max(0, Math.min(8, Math.round(4 * (x + 1)))), height = Math.round(100 * Math.max(-1.5, Math.min(1.5, y))) / 100;
        view.set({ heights: [view.state.heights[0].map((old, place) => (place === at ? height : old))] });
      },
    });
    const errors = axesPicture(view, {
      label: "error against nodes", x: { label: "hidden nodes", low: 0.9, high: 120, log: true }, y: { label: "error", low: 3e-4, high: 3, log: true }, wide: 360, high: 310,
    });
    const own = view.numberGrid({ field: "heights", label: "heights of your points (type, or drag in the picture)", rows: 1, cols: 9, low: -1.5, high: 1.5 });
    const formula = view.formula();
    view.stage(curves.panel, view.veil(element("div", {}, errors.panel)));
    view.note(own, formula.node);
    const sharpness = view.slider({ field: "sharpness", label: "sharpness w · stair", min: 1, max: 40 });
    const trainer = [
      view.player({ field: "rounds", max: () => COURSE.mostRounds, interval: () => 120 }),
      view.button("Other start", () => view.set({ seed: (view.state.seed + 1) % 10, rounds: 0 }), "Train from other random weights")];
    const train = element("div", { class: "ce-control" }, element("span", { style: "font-size: 12.5px" }, "now train it by gradient descent"), element("div", { class: "ce-row" }, trainer));
    view.controls(
      view.choice({ field: "target", label: "target", options: COURSE.targets }),
      view.segments({ field: "kind", label: "nodes", options: COURSE.kinds }),
      view.slider({ field: "nodes", label: "hidden nodes", min: 1, max: 100 }), sharpness,
      view.toggle({ field: "outside", label: "look outside the interval" }), element("i"), train, view.resetButton());
    let key = "", scan;
    view.draw((state) => {
      const network = construct(state, state.nodes), reach = state.outside ? 2 : 1, places241 = steps(401, -reach, reach);
      const drawn = (f) => places241.map((x) => [x, f(x)]), mine = state.target === "points", relu = state.kind === "relu";
      own.hidden = !mine;
      sharpness.hidden = relu;
      train.hidden = !relu;
      const trained = state.rounds ? trainedNetwork(state) : null;
      const layers = [{ line: drawn((x) => target(state, x)), colour: view.theme.muted, dash: [8, 3, 2, 3], width: 2.5, name: "target" }];
      if (relu && state.nodes <= 30) layers.push({ points: network.biases.map((bias) => [-bias, answer(network, -bias)]), colour: palette.training, size: 4, name: "kinks" });
      layers.push({ line: drawn((x) => answer(network, x)), colour: palette.training, width: 2.5, name: relu ? "best fit" : "sum of steps" });
      if (!relu && state.nodes <= 12) {
        network.factors.forEach((factor, at) => layers.push({ line: drawn((x) => factor / (1 + Math.exp(-network.weights[at] * x - network.biases[at]))), colour: palette.signal, width: 1, dim: 0.7, ...(at ? {} : { name: "single steps" }) }));
      }
      if (trained) layers.push({ line: drawn((x) => answer(trained, x)), colour: palette.validation, dash: [7, 4], width: 2.5, name: `trained, ${COURSE.stepsPerRound * state.rounds} steps` });
      if (state.outside) layers.push({ vertical: -1, colour: palette.highlight }, { vertical: 1, colour: palette.highlight, name: "end of the interval" });
      if (mine) layers.push({ points: places.map((x, at) => [x, state.heights[0][at]]), colour: view.theme.ink, shape: "square", size: 5, name: "your points" });
      curves.paint({ layers, x: { low: -reach, high: reach }, describe: approximatorSummary(state) });
      const now = JSON.stringify([state.target, state.kind, state.heights, state.sharpness]);
      if (now !== key) {
        key = now;
        scan = COURSE.nodeNumbers.map((n) => {
          const each = construct(state, n), distances = GRID.map((x) => Math.abs(answer(each, x) - target(state, x)));
          return [n, Math.max(...distances), Math.sqrt(distances.reduce((sum, value) => sum + value ** 2, 0) / distances.length)];
        });
      }
      const seen = (value) => Math.max(value, 4e-4);
      const present = [{ points: [[state.nodes, seen(largestError(network, state))]], colour: palette.highlight, size: 6, name: "now" }];
      if (trained) present.push({ points: [[state.nodes, seen(largestError(trained, state))]], colour: palette.validation, shape: "triangle", size: 7, name: "trained" });
      errors.paint({ layers: [
        { line: scan.map(([n, most]) => [n, seen(most)]), colour: palette.training, name: "largest error" },
        { line: scan.map(([n, , rms]) => [n, seen(rms)]), colour: view.theme.muted, dash: [6, 4], name: "root mean square" }, ...present],
      describe: `largest error ${show(scan[0][1])} with 1 node, ${show(scan.at(-1)[1])} with 100` });
      formula.write(relu
        ? `z(x) = d + Σ cᵢ ReLU(x − tᵢ): factor cᵢ is the change of slope at kink tᵢ`
        : `z(x) = d + Σ cᵢ σ(w (x − eᵢ)), w = ${show(network.weights[0])}: node i switches on at eᵢ`);
    });
  },
});
