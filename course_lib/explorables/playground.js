// ---- the state: twins of those in settings.py and explorable.py ----

const TRAINING_FIELDS = [...COURSE.dataFields, ...COURSE.networkFields];
const only = (names, state) => Object.fromEntries(names.map((name) => [name, state[name]]));
const keyOf = (state) => JSON.stringify(only(TRAINING_FIELDS, state));
const rivalOf = (state) => ({ ...state, ...state.pinned });
const stepsPerEpoch = (state) => Math.ceil(nTraining(state) / state.batch_size);
const lastEpoch = (state) => Math.min(COURSE.rules.epoch.range[1], Math.floor(COURSE.maximumSteps / stepsPerEpoch(state)));

function playgroundReconcile(given) {
  const state = { ...given };
  const agree = (part) => {
    if (isRegression(state)) part = { ...part, loss: "mse" };
    if (state.dataset !== "interpolation") return part;
    const features = part.features.filter((name) => COURSE.curveFeatures.includes(name));
    return { ...part, features: features.length ? features : ["x"] };
  };
  Object.assign(state, agree(state), state.pinned && { pinned: agree(state.pinned) });
  const last = Math.floor(COURSE.maximumSteps / stepsPerEpoch(state));
  state.epoch = Math.min(state.epoch, last);
  if (state.batch >= stepsPerEpoch(state) || state.epoch === lastEpoch(state)) state.batch = 0;
  return state;
}

// Setting -> text that says what is wrong, or nothing.
function complaint(name, value) {
  const { options, range, names, least, layers } = COURSE.rules[name] || {}, list = Array.isArray(value);
  if (options && !options.includes(value)) return `must be one of ${options.join(", ")}`;
  const whole = name !== "noise" && name !== "goal_test_loss";
  if (range && !(typeof value === "number" && value >= range[0] && value <= range[1] && (!whole || Number.isInteger(value)))) return `must be a ${whole ? "whole " : ""}number from ${range[0]} to ${range[1]}`;
  if (names && !(list && value.length >= least && new Set(value).size === value.length && value.every((entry) => names.includes(entry)))) return `must be a list out of ${names.join(", ")}`;
  if (layers && !(list && value.length <= layers[0] && value.every((nodes) => Number.isInteger(nodes) && nodes >= 1 && nodes <= layers[1]))) return `must be a list of at most ${layers[0]} layers with 1 to ${layers[1]} nodes`;
  if (name === "pinned" && value !== null) {
    if (typeof value !== "object" || list) return "must be null or an object";
    for (const part in value) {
      const wrong = COURSE.networkFields.includes(part) ? complaint(part, value[part]) : "is no setting of a network";
      if (wrong) return `has ${part}, which ${wrong}`;
    }
  }
}

// Reads pasted JSON: {state} or {error}.
function readState(text) {
  let given;
  try {
    given = JSON.parse(text);
  } catch (error) {
    return { error: `This is no JSON (${error.message}). Nothing was changed.` };
  }
  if (!given || typeof given !== "object" || Array.isArray(given)) return { error: "A state is a JSON object {…}. Nothing was changed." };
  for (const [name, value] of Object.entries(given)) {
    const wrong = name in COURSE.defaults ? complaint(name, value) : "is no field of the playground";
    if (wrong) return { error: `${name} ${wrong}. Nothing was changed.` };
  }
  const state = { ...COURSE.defaults, ...given };
  const sorted = (part) => part && { ...only(COURSE.networkFields, COURSE.defaults), ...part, features: COURSE.rules.features.names.filter((name) => (part.features || COURSE.defaults.features).includes(name)) };
  return { state: { ...state, features: sorted(state).features, pinned: sorted(state.pinned) } };
}

// ---- words ----

function writtenLoss(value) {
  if (value >= 1000) return "over 1000";
  const thousandths = Math.floor(value * 1000 + 0.5);
  return `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, "0")}`;
}

const percent = (share) => Math.floor(100 * share + 0.5) + " %";
const nParameters = ({ weights }) => weights.reduce((sum, layer) => sum + layer.length, 0);

// Losses are kept for every epoch, so a training that is beyond an epoch still knows it.
const TRAININGS = new Map();
function remember(key, result) {
  if (TRAININGS.size > 5 && !TRAININGS.has(key)) TRAININGS.delete(TRAININGS.keys().next().value);
  TRAININGS.set(key, result);
}

// A live view computes a far epoch frame by frame; nothing may block it: nothing comes back until then.
function trained(state, epoch) {
  const key = keyOf(state);
  if (!TRAININGS.has(key)) remember(key, training(JSON.parse(key)));
  const result = TRAININGS.get(key);
  if (!result.live) result.run(epoch);
  return result.isNow(epoch, 0) && result;
}

function sentence(result, epoch, short) {
  if (!Number.isFinite(result.trainingLoss[epoch])) return `diverged after ${result.trainingLoss.length - 1} epochs, the loss is no number any more`;
  const test = `test loss ${writtenLoss(result.testLoss[epoch])}`;
  if (short) return test;
  const right = result.testAccuracy.length ? `, ${percent(result.testAccuracy[epoch])} of the test points right` : "";
  return `Epoch ${epoch}: training loss ${writtenLoss(result.trainingLoss[epoch])}, ${test}${right}; ${nParameters(result)} parameters`;
}

const nNodes = ({ layers }) => layers.reduce((sum, nodes) => sum + nodes, 0);
function scoreOf(state, result, epoch) {
  const loss = result.testLoss[Math.min(epoch, result.testLoss.length - 1)], { goal_test_loss: goal, goal_nodes: most } = state, nodes = nNodes(state);
  if (!goal || nodes > most || !Number.isFinite(loss)) return 0;
  return loss <= goal ? 100 + 10 * (most - nodes) : Math.min(99, Math.floor((100 * goal) / loss));
}

function playgroundSummary(state) {
  const { epoch } = state, result = trained(state, epoch), rival = state.pinned && trained(rivalOf(state), epoch);
  if (!result || rival === false) return `Computing epoch ${epoch}.`;
  const beside = rival ? "; pinned network A: " + sentence(rival, epoch, true) : "";
  return sentence(result, epoch) + beside + (state.goal_test_loss ? `; score ${scoreOf(state, result, epoch)} for the goal` : "") + ".";
}

function kerasCode(state) {
  const { l1, l2, activation, learning_rate: rate } = state, penalty = l1 || l2, more = penalty ? ", kernel_regularizer=penalty" : "", regression = isRegression(state);
  const optimiser = { sgd: ["SGD", ""], momentum: ["SGD", ", momentum=0.9"], rmsprop: ["RMSprop", ""], adam: ["Adam", ""] }[state.optimiser];
  const list = (names) => `[${names.map((name) => `"${name}"`).join(", ")}]`;
  return [
    "import keras", "from course_lib.explorables import playground", "",
    "x_train, y_train, x_test, y_test = playground.make_data(",
    `    dataset="${state.dataset}", noise=${state.noise}, n_points=${state.n_points}, train_share=${state.train_share}, data_seed=${state.data_seed},`,
    `    features=${list(state.features)},`, ")",
    `keras.utils.set_random_seed(${state.seed})`,
    ...(penalty ? [`penalty = keras.regularizers.L1L2(l1=${l1}, l2=${l2})`] : []),
    "model = keras.Sequential([", "    keras.Input((x_train.shape[1],)),",
    ...state.layers.map((nodes) => `    keras.layers.Dense(${nodes}, activation="${activation}"${more}),`),
    `    keras.layers.Dense(1, activation="${regression ? "linear" : "sigmoid"}"${more}),`, "])",
    "model.compile(", `    optimizer=keras.optimizers.${optimiser[0]}(learning_rate=${rate}${optimiser[1]}),`,
    `    loss="${state.loss === "mse" ? "mean_squared_error" : "binary_crossentropy"}",`, ...(regression ? [] : ['    metrics=["accuracy"],']), ")",
    `history = model.fit(x_train, y_train, batch_size=${state.batch_size}, epochs=${state.epoch || 100},`,
    "                    validation_data=(x_test, y_test), verbose=0)",
  ].join("\n");
}

// How the test points fare after 300 epochs. 0: no better than guessing; 1: partly; 2: almost perfectly.
function quality(state, epoch = 300) {
  const result = training(state);
  result.run(epoch);
  const loss = result.testLoss.at(-1);
  if (result.diverged) return { grade: 0, result };
  let share = 2 * result.testAccuracy.at(-1) - 1;
  if (isRegression(state)) {
    const test = [...result.target.subarray(result.count)], mean = test.reduce((sum, value) => sum + value, 0) / test.length;
    share = 1 - loss / (test.reduce((sum, value) => sum + (value - mean) ** 2, 0) / test.length);
  }
  return { grade: share > 0.9 ? 2 : share > 0.3 ? 1 : 0, result };
}

// ---- pictures ----

const SIDE = 48, CURVE_POINTS = 160, NODE = 36, ROW = 44, HEAD = 40, PALETTE = COURSE.palette;
const pixel = ({ fill }) => fill.match(/\d+/g).reduce((sum, part, at) => sum | (Number(part) << (8 * at)), 0xff000000);
const PIXELS = { signed: Int32Array.from(DIVERGING, pixel), classes: Int32Array.from(colourMap(COURSE.classes), pixel) };

const isCurve = ({ dataset }) => dataset === "interpolation";
// The points at which nodes are looked at: a grid, its rows from top to bottom, or a line.
const GRIDS = {};
function gridOf(state) {
  const kind = isCurve(state) ? "line" : "plane";
  if (!GRIDS[kind]) {
    const [wide, high] = kind === "line" ? [CURVE_POINTS, 1] : [SIDE, SIDE];
    const x = Float64Array.from({ length: wide * high }, (_, at) => (((at % wide) + 0.5) / wide - 0.5) * 2 * HALF_WIDTH);
    const y = x.map((_, at) => (high > 1 ? (0.5 - (Math.floor(at / wide) + 0.5) / high) * 2 * HALF_WIDTH : 0));
    GRIDS[kind] = { x, y, matrices: {}, values: Object.fromEntries(Object.keys(FEATURES).map((name) => [name, featureMatrix([name], x, y)])) };
  }
  const { x, y, values, matrices } = GRIDS[kind], key = state.features.join();
  matrices[key] = matrices[key] || featureMatrix(state.features, x, y);
  return { x, values, matrix: matrices[key] };
}

function sharpen(canvas, wide, high) {
  const scale = devicePixelRatio || 1, [width, height] = [Math.round(wide * scale), Math.round(high * scale)];
  if (canvas.width !== width || canvas.height !== height) {
    [canvas.width, canvas.height] = [width, height];
    [canvas.style.width, canvas.style.height] = [wide + "px", high + "px"];
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, wide, high);
  return pen;
}

function write(pen, text, x, y, colour, align = "left", font = "11px system-ui, sans-serif") {
  [pen.font, pen.fillStyle, pen.textAlign, pen.textBaseline] = [font, colour, align, "middle"];
  pen.fillText(text, x, y);
}

const extreme = (values) => {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return Number.isFinite(most) ? most : 0;
};

// A picture of SIDE x SIDE values for drawImage.
function picture() {
  const canvas = element("canvas", { width: SIDE, height: SIDE }), pen = canvas.getContext("2d"), image = pen.createImageData(SIDE, SIDE), pixels = new Int32Array(image.data.buffer);
  return (values, map, low, high) => {
    const scale = 255 / (high - low || 1);
    for (let at = 0; at < pixels.length; at++) {
      const place = (values[at] - low) * scale + 0.5;
      pixels[at] = map[place > 0 ? (place < 255 ? place | 0 : 255) : 0];
    }
    pen.putImageData(image, 0, 0);
    return canvas;
  };
}

// The line where values cross a level, by marching squares; calls line(x1, y1, x2, y2) in units of the picture.
function border(values, level, line) {
  const at = (row, col) => values[row * SIDE + col] - level;
  for (let row = 0; row < SIDE - 1; row++) {
    for (let col = 0; col < SIDE - 1; col++) {
      const corners = [at(row, col), at(row, col + 1), at(row + 1, col + 1), at(row + 1, col)], cuts = [];
      for (let edge = 0; edge < 4; edge++) {
        const [from, to] = [corners[edge], corners[(edge + 1) % 4]];
        if (from > 0 === to > 0) continue;
        const share = from / (from - to);
        cuts.push([[share, 0], [1, share], [1 - share, 1], [0, 1 - share]][edge]);
      }
      for (let cut = 0; cut + 1 < cuts.length; cut += 2) line(...[...cuts[cut], ...cuts[cut + 1]].map((value, axis) => ((axis % 2 ? row : col) + 0.5 + value) / SIDE));
    }
  }
}

const polyline = (pen, count, x, y) => {
  pen.beginPath();
  for (let at = 0; at < count; at++) pen.lineTo(x(at), y(at));
  pen.stroke();
};

function marker(pen, x, y, square, size) {
  pen.beginPath();
  if (square) pen.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  else pen.arc(x, y, size, 0, 7);
}

// The large picture: what the output (or the node that is looked at) says, and the data.
function outputPanel(view) {
  const canvas = element("canvas", { role: "img" }), caption = element("figcaption"), paintPixels = picture(), left = 30, top = 6, side = 280;
  const node = element("figure", { class: "ce-panel" }, caption, canvas);
  return { node, paint(state, run, values, { title, output, spoken }) {
    const pen = sharpen(canvas, side + left + 8, side + top + 34), { theme } = view, line = isCurve(state), regression = isRegression(state);
    if (caption.textContent !== title) caption.textContent = title;
    canvas.setAttribute("aria-label", spoken);
    pen.save();
    pen.translate(left, top);
    // The picture stays light in a dark theme too: its colours mean numbers.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, side, side);
    pen.beginPath();
    pen.rect(0, 0, side, side);
    pen.clip();
    const across = (x) => ((x + HALF_WIDTH) / (2 * HALF_WIDTH)) * side, most = extreme(values) || 1;
    const up = line ? (value) => side * (1 - (value + 2.2) / 6.4) : (y) => side - across(y);
    if (line) {
      const { x } = gridOf(state);
      pen.lineWidth = 2;
      pen.strokeStyle = PALETTE.reference;
      pen.setLineDash([7, 4, 2, 4]);
      polyline(pen, x.length, (at) => across(x[at]), (at) => up(curve(x[at])));
      pen.setLineDash([]);
    } else {
      pen.imageSmoothingEnabled = true;
      const [map, low, high] = output && !regression ? [PIXELS.classes, 0, 1] : output ? [PIXELS.signed, -1, 1] : [PIXELS.signed, -most, most];
      pen.drawImage(paintPixels(values, map, low, high), 0, 0, side, side);
    }
    const batch = state.speed === "slow" && run.batch ? new Set(run.batchPoints) : new Set();
    for (let at = 0; at < run.x.length; at++) {
      const train = at < run.count;
      if (!train && !state.show_test) continue;
      const [x, y] = [across(run.x[at]), up(line ? run.target[at] : run.y[at])], square = regression ? !train : run.target[at] < 0.5, size = batch.has(at) ? 5 : 3.4;
      const colour = line ? PALETTE[train ? "training" : "test"] : regression ? pick(DIVERGING, 0.5 + run.target[at] / 2).fill : square ? "#2b303b" : "#4f1787";
      marker(pen, x, y, square, size);
      const tinted = regression && !line;
      pen.fillStyle = train || tinted ? colour : "rgba(255,255,255,.75)";
      pen.fill();
      pen.lineWidth = batch.has(at) ? 3 : 1.4;
      pen.strokeStyle = batch.has(at) ? PALETTE.highlight : tinted ? "#1f2430" : train ? "rgba(255,255,255,.8)" : colour;
      pen.stroke();
    }
    pen.strokeStyle = "#1f2430";
    if (line) {
      const { x } = gridOf(state);
      [pen.lineWidth, pen.strokeStyle] = [3, output ? PALETTE.signal : PALETTE.positive];
      polyline(pen, x.length, (at) => across(x[at]), (at) => (output ? up(values[at]) : side * (0.5 - (0.45 * values[at]) / most)));
    } else if (!(output && regression)) {
      pen.lineWidth = 2.2;
      pen.beginPath();
      border(values, output ? 0.5 : 0, (x1, y1, x2, y2) => { pen.moveTo(x1 * side, y1 * side); pen.lineTo(x2 * side, y2 * side); });
      pen.stroke();
    }
    pen.restore();
    [pen.strokeStyle, pen.lineWidth] = [theme.line, 1];
    pen.strokeRect(left, top, side, side);
    const stretch = line ? 10 / HALF_WIDTH : 1;
    for (const place of [-6, -3, 0, 3, 6]) write(pen, show(place * stretch), left + across(place), top + side + 10, theme.muted, "center");
    if (line) for (const value of [0, 4, 8, 12]) write(pen, value, left - 5, top + up((value - 4) / 2), theme.muted, "right");
    else for (const place of [-6, -3, 0, 3, 6]) write(pen, show(place), left - 5, Math.max(top + 5, Math.min(top + side - 4, top + up(place))), theme.muted, "right");
    write(pen, "x", left + side / 2, top + side + 25, theme.ink, "center", "italic 13px serif");
    write(pen, line ? "f(x)" : "y", 2, top + side / 2 - (line ? 22 : 20), theme.ink, "left", "italic 13px serif");
  } };
}

// Losses against epochs, the loss on a logarithmic scale.
function lossPanel(view) {
  const canvas = element("canvas", { role: "img" }), node = element("figure", { class: "ce-panel" }, element("figcaption", {}, "mean loss a point (log scale)"), canvas);
  return { node, paint(run, rival) {
    const wide = 318, high = 150, left = 42, right = 52, top = 8, bottom = 30, { theme } = view, pen = sharpen(canvas, wide, high);
    const curves = [["training", run.trainingLoss, 1], ["test", run.testLoss, 1]];
    if (rival) curves.unshift(["training", rival.trainingLoss, 0.6], ["test", rival.testLoss, 0.6]);
    let [low, most] = [Infinity, 0], longest = 10;
    for (const [, losses] of curves) {
      longest = Math.max(longest, losses.length - 1);
      for (const loss of losses) if (loss > 0 && loss < 1e6) [low, most] = [Math.min(low, loss), Math.max(most, loss)];
    }
    if (!(most > 0)) [low, most] = [0.1, 1];
    [low, most] = [Math.log10(Math.max(low, 1e-5)) - 0.05, Math.log10(Math.max(most, 1e-4)) + 0.05];
    if (most - low < 0.7) low = most - 0.7;
    const x = (epoch) => left + ((wide - left - right) * epoch) / longest, y = (loss) => top + ((high - top - bottom) * (most - Math.log10(Math.max(loss, 1e-5)))) / (most - low);
    [pen.lineWidth, pen.strokeStyle] = [1, theme.line];
    const ticks = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`))).filter((loss) => Math.log10(loss) >= low && Math.log10(loss) <= most && (most - low < 2 || /^[01.]+$/.test(loss)));
    for (const loss of ticks) {
      pen.strokeRect(left, y(loss), wide - left - right, 0);
      write(pen, loss, left - 5, y(loss), theme.muted, "right");
    }
    for (const share of [0, 0.5, 1]) write(pen, Math.round(longest * share), x(longest * share), high - bottom + 10, theme.muted, "center");
    write(pen, "epoch", left + (wide - left - right) / 2, high - 7, theme.muted, "center");
    const ends = [];
    for (const [name, losses, opacity] of curves) {
      [pen.strokeStyle, pen.lineWidth, pen.globalAlpha] = [PALETTE[name], opacity < 1 ? 1.5 : 2.2, opacity];
      pen.setLineDash(name === "test" ? [2, 3] : []);
      const every = Math.max(1, Math.floor(losses.length / 400)), count = Math.ceil(losses.length / every);
      polyline(pen, count, (at) => x(at * every), (at) => y(Number.isFinite(losses[at * every]) ? losses[at * every] : 1e6));
      ends.push([(rival ? (opacity < 1 ? "A " : "B ") : "") + (name === "test" ? "test" : "train"), y(losses.at(-1)), losses.length - 1]);
    }
    pen.globalAlpha = 1;
    pen.setLineDash([]);
    // Names at the ends of the curves, kept apart from each other and above the axis.
    ends.sort((one, other) => one[1] - other[1]);
    let free = top + 4;
    ends.forEach(([text, end, epoch], index) => {
      const place = Math.min(Math.max(free, end || 0), high - bottom - 5 - 12 * (ends.length - 1 - index));
      free = place + 12;
      write(pen, text, Math.min(x(epoch), wide - right) + 5, place, theme.ink, "left", "600 11px system-ui, sans-serif");
    });
    canvas.setAttribute("aria-label", `losses over ${run.epoch} epochs: training from ${writtenLoss(run.trainingLoss[0])} to ${writtenLoss(run.trainingLoss.at(-1))}, test from ${writtenLoss(run.testLoss[0])} to ${writtenLoss(run.testLoss.at(-1))}`);
  } };
}

const FUNCTION_NAMES = { linear: "", relu: "ReLU", leaky_relu: "leaky ReLU", elu: "ELU", tanh: "tanh", sigmoid: "σ" };

// Inputs, hidden nodes and output with their pictures, and the weights between them.
function networkPanel(view, looked) {
  const canvas = element("canvas", { role: "img" }), area = element("div", { class: "pg-area" }, canvas), node = element("div", { class: "pg-net" }, area), paintPixels = picture();
  const formula = element("p", { class: "ce-formula pg-formula", id: "pg" + Math.random().toString(36).slice(2) });
  const names = Object.keys(FEATURES), shown = new Map();
  let links = [], focus = "0,0", tip = null, structure = "";
  const look = (place) => { if (looked.place !== place) { looked.place = place; view.redraw(); } };
  const at = (place) => place.split(",").map(Number);

  function toggleFeature(name) {
    const { features } = view.state, next = names.filter((other) => (other === name ? !features.includes(name) : features.includes(other)));
    // A network without inputs would know nothing.
    if (next.length) view.set({ features: next });
  }

  function onKey(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [column, row] = at(focus);
    let next = `${column + step[0]},${row + step[1]}`;
    // The neighbouring column may be shorter.
    for (let up = row; step[0] && !shown.has(next) && up >= 0; up--) next = `${column + step[0]},${up}`;
    if (shown.has(next)) shown.get(next).focus();
  }

  function nodeButton(place) {
    const button = element("button", {
      type: "button", class: "pg-node", "aria-describedby": formula.id, onkeydown: onKey,
      onmouseenter: () => look(place), onmouseleave: () => look(null), onblur: () => look(null),
      onfocus: () => { focus = place; look(place); for (const [other, one] of shown) one.tabIndex = other === place ? 0 : -1; },
      onclick: () => { const [column, row] = at(place); if (!column && !view.state.hidden.includes("features")) toggleFeature(columns(view.state)[0][row]); },
    });
    area.append(button);
    return button;
  }

  const heads = Array.from({ length: COURSE.rules.layers.layers[0] }, (_, layer) => {
    const change = (by) => view.set({ layers: view.state.layers.map((nodes, index) => (index === layer ? nodes + by : nodes)) });
    const fewer = view.button("−", () => change(-1)), more = view.button("+", () => change(1)), count = element("span");
    fewer.setAttribute("aria-label", `fewer nodes in layer ${layer + 1}`);
    more.setAttribute("aria-label", `more nodes in layer ${layer + 1}`);
    const head = element("div", { class: "pg-head", role: "group", "aria-label": `layer ${layer + 1}` }, fewer, count, more);
    area.append(head);
    return { head, fewer, more, count };
  });

  const columns = (state) => [isCurve(state) ? COURSE.curveFeatures : names, ...state.layers.map((nodes) => Array(nodes).fill()), [1]];
  const nameOf = (column, row, state) => (column === 0 ? COURSE.featureNames[columns(state)[0][row]] : column === state.layers.length + 1 ? "output" : `node ${row + 1} of layer ${column}`);

  // "ReLU(1.2·x − 0.43·y + 0.31)"
  function describe(state, run, column, row) {
    if (!column) return `input ${nameOf(0, row, state)}: ${state.features.includes(columns(state)[0][row]) ? "on" : "off"}, press to switch`;
    const weight = run.weights[column - 1], nodes = run.sizes[column], last = column === state.layers.length + 1;
    const sources = column === 1 ? state.features.map((name) => COURSE.featureNames[name]) : Array.from({ length: run.sizes[column - 1] }, (_, from) => "n" + "₁₂₃₄₅₆₇₈"[from]);
    const terms = sources.map((name, from) => [weight[(from + 1) * nodes + row], "·" + name]).concat([[weight[row], ""]]);
    const sum = terms.map(([value, name], index) => `${value < 0 ? (index ? " − " : "−") : index ? " + " : ""}${show(Math.abs(value))}${name}`).join("");
    const outer = last ? (isRegression(state) ? "" : "σ") : FUNCTION_NAMES[state.activation];
    return `${nameOf(column, row, state)} = ${outer ? `${outer}(${sum})` : sum}`;
  }

  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect(), [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let nearest = 7;
    tip = null;
    for (const link of links) {
      const [x1, y1, x2, y2] = link.line, along = Math.max(0, Math.min(1, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)));
      const away = Math.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1));
      if (away < nearest) [nearest, tip] = [away, link];
    }
    view.redraw();
  });
  canvas.addEventListener("pointerleave", () => { tip = null; view.redraw(); });

  return { node, formula, paint(state, run, rows) {
    const grid = gridOf(state), { theme } = view, all = columns(state), line = isCurve(state), most = Math.max(...all.map((column) => column.length));
    const wide = Math.max(node.clientWidth, 44 + NODE + 66 * (all.length - 1)), high = HEAD + ROW * most, pen = sharpen(canvas, wide, high);
    const x = (column) => 44 + (column * (wide - 46 - NODE)) / (all.length - 1), y = (column, row) => HEAD + (ROW * (most - all[column].length)) / 2 + ROW * row;
    area.style.width = wide + "px";
    area.style.height = high + "px";
    const form = JSON.stringify([wide, all.map((column) => column.length), state.features, state.hidden]);
    if (form !== structure) {
      structure = form;
      const kept = new Set(all.flatMap((column, index) => column.map((_, row) => `${index},${row}`)));
      for (const [place, button] of shown) if (!kept.has(place)) { button.remove(); shown.delete(place); }
      if (!kept.has(focus)) focus = "0,0";
      for (const place of kept) {
        const [column, row] = at(place), button = shown.get(place) || nodeButton(place);
        shown.set(place, button);
        button.tabIndex = place === focus ? 0 : -1;
        button.style.left = x(column) + "px";
        button.style.top = y(column, row) + "px";
        button.setAttribute("aria-label", (column ? "" : "input ") + nameOf(column, row, state));
        if (column) button.removeAttribute("aria-pressed");
        else button.setAttribute("aria-pressed", state.features.includes(all[0][row]));
      }
      heads.forEach(({ head, fewer, more, count }, layer) => {
        head.hidden = layer >= state.layers.length;
        head.style.left = x(layer + 1) + NODE / 2 + "px";
        count.textContent = state.layers[layer];
        fewer.disabled = state.layers[layer] === 1;
        more.disabled = state.layers[layer] === COURSE.rules.layers.layers[1];
        fewer.hidden = more.hidden = state.hidden.includes("layers");
      });
    }
    write(pen, "inputs", x(0) + NODE / 2, 14, theme.muted, "center");
    write(pen, "output", x(all.length - 1) + NODE / 2, 14, theme.muted, "center");

    // Weights: width for the size, colour and dashes for the sign, dots for almost nothing.
    const place = looked.place && at(looked.place);
    links = [];
    run.weights.forEach((weight, layer) => {
      const nodes = run.sizes[layer + 1];
      for (let from = 0; from < run.sizes[layer]; from++) {
        const row = layer ? from : all[0].indexOf(state.features[from]);
        for (let to = 0; to < nodes; to++) links.push({ layer, from, to, row, value: weight[(from + 1) * nodes + to], line: [x(layer) + NODE, y(layer, row) + NODE / 2, x(layer + 1), y(layer + 1, to) + NODE / 2] });
      }
    });
    const isLooked = (link) => place && ((link.layer + 1 === place[0] && link.to === place[1]) || (link.layer === place[0] && link.row === place[1]));
    for (const link of links) {
      const { value, line: [x1, y1, x2, y2] } = link, none = Math.abs(value) < 0.01;
      pen.globalAlpha = place && !isLooked(link) ? 0.18 : 1;
      pen.strokeStyle = none ? theme.muted : PALETTE[value < 0 ? "negative" : "positive"];
      pen.lineWidth = none ? 1 : 0.8 + 6 * (1 - Math.exp(-Math.abs(value) / 2));
      pen.setLineDash(none ? [1, 5] : value < 0 ? [7, 4] : []);
      const middle = (x1 + x2) / 2;
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.bezierCurveTo(x1 + 0.35 * (middle - x1), y1, x2 - 0.35 * (x2 - middle), y2, x2, y2);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    pen.setLineDash([]);

    all.forEach((column, index) => column.forEach((name, row) => {
      const values = index ? rows[index - 1][row] : grid.values[name], on = index || state.features.includes(name), limit = extreme(values) || 0, [left, top] = [x(index), y(index, row)];
      pen.globalAlpha = on ? 1 : 0.3;
      pen.fillStyle = "#f7f7f5";
      pen.fillRect(left, top, NODE, NODE);
      if (line) {
        [pen.strokeStyle, pen.lineWidth] = [PALETTE.positive, 1.6];
        polyline(pen, CURVE_POINTS / 2, (step) => left + (NODE * (2 * step + 1)) / CURVE_POINTS, (step) => top + NODE * (0.5 - (0.42 * values[2 * step]) / (limit || 1)));
      } else pen.drawImage(paintPixels(values, PIXELS.signed, -limit || -1, limit || 1), left, top, NODE, NODE);
      if (!limit) write(pen, "✕", left + NODE / 2, top + NODE / 2, "#5c5f66", "center", "16px system-ui, sans-serif");
      const mine = place && place[0] === index && place[1] === row;
      [pen.strokeStyle, pen.lineWidth] = [mine ? PALETTE.highlight : on ? theme.ink : theme.line, mine ? 3 : on ? 1.2 : 1];
      pen.strokeRect(left, top, NODE, NODE);
      pen.globalAlpha = 1;
      if (!index) write(pen, COURSE.featureNames[name], left - 6, top + NODE / 2, on ? theme.ink : theme.muted, "right", "13px system-ui, sans-serif");
    }));

    const numbers = tip ? [links.find((link) => link.layer === tip.layer && link.from === tip.from && link.to === tip.to)] : links.filter((link) => place && link.layer + 1 === place[0] && link.to === place[1]);
    for (const link of numbers) {
      if (!link) continue;
      const [x1, y1, x2, y2] = link.line, share = tip ? 0.5 : 0.3, [middle, height] = [x1 + share * (x2 - x1), y1 + share * share * (3 - 2 * share) * (y2 - y1)], text = show(link.value);
      pen.font = "600 11px system-ui, sans-serif";
      const half = pen.measureText(text).width / 2 + 4;
      pen.fillStyle = "#fff";
      pen.beginPath();
      pen.roundRect(middle - half, height - 8, 2 * half, 16, 5);
      pen.fill();
      [pen.strokeStyle, pen.lineWidth] = [PALETTE[link.value < 0 ? "negative" : "positive"], 1.5];
      pen.stroke();
      write(pen, text, middle, height + 0.5, "#1f2430", "center", "600 11px system-ui, sans-serif");
    }
    const text = tip ? `weight from ${nameOf(tip.layer, tip.row, state)} to ${nameOf(tip.layer + 1, tip.to, state)}: ${show(numbers[0] ? numbers[0].value : tip.value)}` : place ? describe(state, run, ...place) : "Point at a node or a weight, or walk through the nodes with the arrow keys.";
    if (formula.textContent !== text) formula.textContent = text;
    const counts = run.sizes.slice(1, -1).join(", ") || "none";
    const spoken = `network: inputs ${state.features.map((name) => COURSE.featureNames[name]).join(", ")}; hidden nodes ${counts}; one output`;
    if (canvas.getAttribute("aria-label") !== spoken) canvas.setAttribute("aria-label", spoken);
  } };
}

const ANSWERS = ["no better than guessing", "partly right", "almost perfect"];
const settingsOf = (changes) => ({ ...only(TRAINING_FIELDS, COURSE.defaults), ...changes, epoch: 0, batch: 0, pinned: null });
const presetOf = (state) => COURSE.presets.find(([, , , changes]) => keyOf(settingsOf(changes)) === keyOf(state));
let revealed;

export { exponential, featureMatrix, kerasCode, makePoints, playgroundReconcile, randomBits, readState, normal, uniform };
// For tests: everything that a training knows after some epochs, as plain lists.
export function trainedNumbers(state) {
  const result = training(state);
  result.run(state.epoch, state.batch);
  const { trainingLoss, testLoss, trainingAccuracy, testAccuracy, diverged, epoch, batch } = result;
  return { weights: result.weights.map((layer) => [...layer]), trainingLoss, testLoss, trainingAccuracy, testAccuracy, diverged, epoch, batch };
}
export default explorable({
  reconcile: playgroundReconcile,
  summary: playgroundSummary,
  // Equal states give equal numbers: a changed setting begins the training anew.
  change: (changes) => (!("epoch" in changes) && Object.keys(changes).some((name) => TRAINING_FIELDS.includes(name)) ? { ...changes, epoch: 0, batch: 0 } : changes),
  predict: {
    question: (opening) => `How good will this network be at the ${isRegression(opening) ? "curve or surface" : "two classes"} on its test points, after 300 epochs?`,
    options: ANSWERS,
    reveal(guess, opening) {
      const key = keyOf(opening);
      if (!revealed || revealed.key !== key) revealed = { key, ...quality(opening) };
      const { grade, result } = revealed, answer = ANSWERS[grade];
      return `${guess === answer ? "Right: a" : "A"}fter 300 epochs the opening network is ${answer}${result.diverged ? ", the training diverges" : `, test loss ${writtenLoss(result.testLoss.at(-1))}`}${result.testAccuracy.length ? ` with ${percent(result.testAccuracy.at(-1))} right` : ""}. Watch how it gets there.`;
    },
  },
  build(view) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)"), looked = { place: null };
    const network = networkPanel(view, looked), output = outputPanel(view), rivalOutput = outputPanel(view), losses = lossPanel(view);
    let run, rival, key = "", rivalKey = "", rows = [], rivalRows = [], known = "", target = [0, 0], playing = false, last = 0, saved = 0, stopped = false;

    // -- the training --

    const position = ({ epoch, batch }) => epoch + "," + batch;
    const start = (state) => {
      const fresh = training(only(TRAINING_FIELDS, state));
      fresh.live = true;
      return fresh;
    };
    const rowsOf = ({ sizes }, state) => sizes.slice(1).map((nodes) => Array.from({ length: nodes }, () => new Float64Array(gridOf(state).x.length)));

    // Brings the training to where the state says it is, frame by frame if that is far.
    function follow(state) {
      const asked = position(state) !== known, changed = keyOf(state) !== key;
      if (changed || (asked && run.isNow(state.epoch, state.batch))) {
        [run, key] = [start(state), keyOf(state)];
        rows = rowsOf(run, state);
      }
      if (asked || changed) [known, target] = [position(state), [state.epoch, state.batch]];
      run.run(...target, 12);
      const other = state.pinned ? keyOf(rivalOf(state)) : "";
      if (other !== rivalKey || (rival && (rival.epoch > run.epoch))) {
        rivalKey = other;
        rival = state.pinned && start(rivalOf(state));
        rivalRows = rival ? rowsOf(rival, state) : [];
      }
      if (rival) rival.run(run.epoch, 0, 12);
      remember(key, run);
      // The same settings: one training tells about both.
      if (rival && rivalKey !== key) remember(rivalKey, rival);
      if (!run.isNow(...target) || (rival && !rival.isNow(run.epoch, 0))) view.redraw();
    }

    function publish() {
      saved = performance.now();
      target = [run.epoch, run.batch];
      known = position(run);
      view.set({ epoch: run.epoch, batch: run.batch });
    }

    const isDone = () => run.diverged || run.epoch >= lastEpoch(run.settings);
    function tick(now) {
      if (!playing || stopped) return;
      requestAnimationFrame(tick);
      const { speed } = view.state, wait = speed === "slow" ? 400 : calm.matches ? 500 : 0;
      // Not before the state has been caught up with, and with little motion only twice a second.
      if (now - last < wait || !run.isNow(...target)) return;
      last = now;
      if (speed === "slow") run.step();
      else if (speed === "fast" || calm.matches) run.run(lastEpoch(view.state), 0, 9);
      else run.run(run.epoch + 1);
      target = [run.epoch, run.batch];
      network.node.dataset.epoch = run.epoch;
      if (isDone()) pause();
      else if (now - saved > 400) publish();
      else view.redraw();
    }

    function pause() {
      playing = false;
      // Whole epochs, but in slow motion.
      if (run.batch && view.state.speed !== "slow") run.run(run.epoch + 1);
      publish();
    }

    function play() {
      if (playing) return pause();
      if (isDone()) rewind({});
      playing = true;
      requestAnimationFrame(tick);
      view.redraw();
    }

    function stepOnce() {
      if (playing) pause();
      if (view.state.speed === "slow") run.step();
      else run.run(run.epoch + 1);
      publish();
    }

    // -- the controls --

    const playButton = view.button("", play), stepButton = view.button("", stepOnce);
    playButton.className = "ce-main";
    const opening = view.state, rewind = (changes) => { known = ""; view.set({ epoch: 0, batch: 0, ...changes }); };
    const restart = view.button("↺ Restart", () => rewind({}), "Back to the untrained network");
    const reset = view.button("Reset all", () => { if (playing) pause(); rewind({ ...opening, prediction: view.state.prediction }); }, "Back to the opening state");
    const layersButton = (label, spoken, next) => {
      const button = view.button(label, () => view.set({ layers: next(view.state.layers) }));
      button.setAttribute("aria-label", spoken);
      return button;
    };
    const fewer = layersButton("−", "remove the last hidden layer", (layers) => layers.slice(0, -1)), more = layersButton("+", "add a hidden layer", (layers) => [...layers, Math.min(4, layers.at(-1) || 4)]);
    const layerCount = element("strong"), options = (field, names = {}) => COURSE.rules[field].options.map((value) => [value, names[value] || String(value)]);
    const values = (field, label, more) => view.slider({ field, label, values: COURSE.rules[field].options, write: (value) => String(value), ...more });

    function numberField(field, label) {
      const id = "pg" + Math.random().toString(36).slice(2), [low, high] = COURSE.rules[field].range;
      const input = element("input", { type: "number", id, min: low, max: high, step: 1, oninput: () => { if (!complaint(field, input.valueAsNumber)) view.set({ [field]: input.valueAsNumber }); } });
      const next = view.button("next", () => view.set({ [field]: (view.state[field] + 1) % (high + 1) }));
      next.setAttribute("aria-label", `next ${label}`);
      view.draw((state) => { if (input.getRootNode().activeElement !== input) input.value = state[field]; });
      return element("div", { class: "ce-control" }, element("label", { for: id }, label), element("div", { class: "ce-row" }, input, next));
    }

    const controls = {
      speed: view.segments({ field: "speed", label: "speed", options: [["slow", "batch by batch"], ["normal", "normal"], ["fast", "fast"]] }),
      layers: element("div", { class: "ce-control" }, element("span", { class: "pg-label" }, "hidden layers"), element("div", { class: "ce-row", role: "group", "aria-label": "hidden layers" }, fewer, layerCount, more)),
      presets: view.choice({
        label: "examples", options: [[-1, "choose …"], ...COURSE.presets.map(([name, kind], index) => [index, (kind === "good" ? "✓ " : "✗ ") + name])],
        current: (state) => COURSE.presets.indexOf(presetOf(state)), apply: (index) => (index < 0 ? {} : settingsOf(COURSE.presets[index][3])),
      }),
      dataset: view.choice({ field: "dataset", label: "data", options: options("dataset", COURSE.names) }),
      noise: view.slider({ field: "noise", label: "noise", max: 0.5, step: 0.05, write: (value) => Math.round(100 * value) + " %" }),
      n_points: view.slider({ field: "n_points", label: "points", min: 20, max: 500, step: 20 }),
      train_share: values("train_share", "train share", { write: (value) => Math.round(100 * value) + " %" }),
      data_seed: numberField("data_seed", "seed of the data"),
      show_test: view.toggle({ field: "show_test", label: "show test points" }),
      activation: view.choice({ field: "activation", label: "activation", options: options("activation", { relu: "ReLU", leaky_relu: "leaky ReLU", elu: "ELU" }) }),
      seed: numberField("seed", "seed of the weights"),
      optimiser: view.choice({ field: "optimiser", label: "optimiser", options: options("optimiser", { sgd: "SGD", rmsprop: "RMSprop", adam: "Adam" }) }),
      learning_rate: values("learning_rate", "learning rate"),
      batch_size: values("batch_size", "batch size", { write: (value, state) => (value >= nTraining(state) ? "all" : String(value)) }),
      loss: view.choice({ field: "loss", label: "loss", options: options("loss", { cross_entropy: "cross-entropy", mse: "squared error" }) }),
      l1: values("l1", "penalty L1"),
      l2: values("l2", "penalty L2"),
    };
    const pin = view.button("", () => view.set({ pinned: view.state.pinned ? null : only(COURSE.networkFields, view.state) }), "Keep this network as A and change a second one, B, beside it");
    controls.compare = element("div", { class: "ce-control" }, element("span", { class: "pg-label" }, "two networks, same seed"), pin);
    const groups = [], group = (title, ...names) => {
      groups.push([element("fieldset", { class: "pg-group" }, element("legend", {}, title), names.map((name) => controls[name])), names]);
      return groups.at(-1)[0];
    };

    const code = element("pre", { tabindex: 0, "aria-label": "Keras code" }), json = element("textarea", { rows: 6, "aria-label": "state as JSON", spellcheck: "false" }), message = element("p", { role: "status" });
    const copy = (text, said) => view.button("Copy", async () => {
      try {
        await navigator.clipboard.writeText(text());
        said.textContent = "Copied.";
      } catch {
        said.textContent = "The browser did not allow it: select the text and copy it.";
      }
    });
    const copied = element("p", { role: "status" });
    const load = view.button("Load", () => {
      const { state, error } = readState(json.value);
      message.textContent = error || "Loaded.";
      if (error) return;
      if (playing) pause();
      rewind({ ...state, prediction: view.state.prediction });
    });
    const codeBox = element("details", { ontoggle: view.redraw }, element("summary", {}, "Show as Keras code"), code, element("div", { class: "ce-row" }, copy(() => code.textContent, copied), copied));
    const jsonBox = element("details", { ontoggle: view.redraw }, element("summary", {}, "State as JSON"), json, element("div", { class: "ce-row" }, copy(() => json.value, message), load, message));
    Object.assign(controls, { code: codeBox, json: jsonBox });

    // -- the page --

    const chips = ["epoch", "training loss", "test loss", "parameters", "goal"].map((label) => view.chip(label)), note = element("p", { class: "pg-note" }), difference = element("p", { class: "pg-note" });
    const legend = element("p", { class: "pg-legend" });
    const right = element("div", { class: "pg-right" }, output.node, rivalOutput.node, legend);
    view.stage(
      element("style", {}, COURSE.style),
      element("div", { class: "pg-bar" }, element("div", { class: "ce-control ce-player", role: "group", "aria-label": "Training" }, playButton, stepButton, restart), controls.speed, controls.layers, controls.presets),
      note,
      view.veil(element("div", { class: "pg-main" }, element("div", { class: "pg-left" }, network.node, network.formula), right, element("div", { class: "pg-below" }, losses.node, element("div", { class: "pg-chips" }, chips.map((chip) => chip.node))))),
      difference);
    view.controls(group("Data", "dataset", "noise", "n_points", "train_share", "data_seed", "show_test"), group("Network", "activation", "seed", "compare"),
      group("Training", "optimiser", "learning_rate", "batch_size", "loss", "l1", "l2"), element("div", { class: "pg-more" }, codeBox, jsonBox), reset);

    view.draw((state) => {
      follow(state);
      const grid = gridOf(state), regression = isRegression(state), hidden = (name) => state.hidden.includes(name);
      run.evaluate(grid.matrix, rows);
      const probability = (values) => (regression ? values : Float64Array.from(values, sigmoid)), result = probability(rows.at(-1)[0]);
      network.paint(state, run, rows);
      const looking = looked.place && looked.place.split(",").map(Number), [column, row] = looking || [];
      const node = looking && column <= state.layers.length && (column ? rows[column - 1][row] : grid.values[(isCurve(state) ? COURSE.curveFeatures : Object.keys(FEATURES))[row]]);
      const name = state.pinned ? "network B" : regression ? "prediction of the network" : "probability of class ●", spoken = `${state.pinned ? "network B, " : ""}${COURSE.names[state.dataset]} after ${run.epoch} epochs`;
      output.paint(state, run, node || result, { title: node ? (column ? `node ${row + 1} of layer ${column}` : "input") : name, output: !node, spoken });
      rivalOutput.node.hidden = difference.hidden = !rival;
      right.classList.toggle("pg-two", Boolean(rival));
      if (rival) {
        const settings = rivalOf(state), { matrix } = gridOf(settings);
        rival.evaluate(matrix, rivalRows);
        rivalOutput.paint(settings, rival, probability(rivalRows.at(-1)[0]), { title: "network A (pinned)", output: true, spoken: `network A after ${rival.epoch} epochs` });
        const differing = COURSE.networkFields.filter((field) => String(state[field]) !== String(state.pinned[field]));
        const list = (from) => differing.map((field) => `${field.replace("_", " ")} ${Array.isArray(from[field]) ? from[field].join(", ") || "none" : from[field]}`).join("; ");
        difference.textContent = differing.length ? `A: ${list(state.pinned)}. B: ${list(state)}.` : "A and B are equal so far: change a setting of B.";
      }
      losses.paint(run, rival);

      playButton.textContent = playing ? "❚❚ Pause" : "▶ Play";
      stepButton.textContent = state.speed === "slow" ? "Step: batch" : "Step: epoch";
      playButton.disabled = stepButton.disabled = view.pending();
      fewer.hidden = more.hidden = hidden("layers");
      fewer.disabled = !state.layers.length;
      more.disabled = state.layers.length === COURSE.rules.layers.layers[0];
      layerCount.textContent = state.layers.length;
      pin.textContent = state.pinned ? "Unpin A" : "Pin as A";
      for (const name in controls) if (name !== "layers") controls[name].hidden = hidden(name);
      for (const [box, names] of groups) box.hidden = names.every(hidden);

      const preset = presetOf(state);
      note.hidden = !preset;
      if (preset) note.textContent = `${preset[1] === "good" ? "✓" : "✗"} ${preset[2]}`;
      legend.textContent = isCurve(state) ? "circles: training, squares: test; dash-dotted: the true curve" : regression ? "colour of a point: its target; circles: training, squares: test" : "● ■ the two classes; filled: training, hollow: test; line: border";
      const accuracy = (values) => (values.length ? percent(values.at(-1)) + " right" : ""), small = run.weights.flatMap((weight, layer) => [...weight.subarray(run.sizes[layer + 1])]).filter((value) => Math.abs(value) < 0.01).length;
      chips[0].write(run.epoch, run.diverged ? "diverged" : run.isNow(...target) ? `batch ${run.batch} of ${stepsPerEpoch(state)}` : `computing ${target[0]} …`);
      chips[1].write(Number.isFinite(run.trainingLoss.at(-1)) ? writtenLoss(run.trainingLoss.at(-1)) : "no number", accuracy(run.trainingAccuracy));
      chips[2].write(Number.isFinite(run.testLoss.at(-1)) ? writtenLoss(run.testLoss.at(-1)) : "no number", accuracy(run.testAccuracy));
      chips[3].write(nParameters(run), `weights near 0: ${small}`);
      chips[4].node.hidden = !state.goal_test_loss;
      const score = scoreOf(state, run, run.epoch);
      chips[4].write(nNodes(state) > state.goal_nodes ? "too many nodes" : `${score >= 100 ? "✓ " : ""}${score} points`, `test loss ≤ ${state.goal_test_loss}, ≤ ${state.goal_nodes} hidden nodes`);
      if (codeBox.open) code.textContent = kerasCode({ ...state, epoch: run.epoch });
      if (jsonBox.open && json.getRootNode().activeElement !== json) json.value = JSON.stringify({ ...state, epoch: run.epoch, batch: run.batch });
    });
  },
});
