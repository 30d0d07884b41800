// ---- the model: pure functions, twins of those in skip_connections.py ----

const { side } = COURSE, pixels = side * side;

function scene(seed, noise) {
  const [discs, tracks] = COURSE.counts, drawn = uniform(seed, COURSE.stream, 3 * discs + 2 * tracks);
  const truth = Array(pixels).fill(0), each = (mark) => { for (let at = 0; at < pixels; at++) mark(Math.floor(at / side), at % side, at); };
  for (let track = 0; track < tracks; track++) {
    const [place, slope] = drawn.slice(3 * discs + 2 * track);
    each((row, col, at) => { if (Math.abs(row - (4 + 24 * place + (col - side / 2) * (1.6 * slope - 0.8))) < 0.75) truth[at] = 1; });
  }
  for (let disc = 0; disc < discs; disc++) {
    const [x, y, size] = drawn.slice(3 * disc), radius = 3.5 + 2 * size;
    each((row, col, at) => { if ((col - 5 - 22 * x) ** 2 + (row - 5 - 22 * y) ** 2 < radius ** 2) truth[at] = 2; });
  }
  const random = normal(seed, COURSE.stream + 1, pixels);
  return [truth.map((kind, at) => (kind > 0) + noise * random[at]), truth];
}

function pooled(field, size) {
  const half = size / 2;
  return Array.from({ length: half * half }, (_, at) => {
    const from = 2 * Math.floor(at / half) * size + 2 * (at % half);
    return (field[from] + field[from + size] + field[from + 1] + field[from + size + 1]) / 4;
  });
}

function upsampled(field, size) {
  const tall = [], wide = [], inside = (value) => Math.max(0, Math.min(size - 1, value));
  for (let row = 0; row < 2 * size; row++) {
    const near = row >> 1, other = inside(near + (row % 2 ? 1 : -1));
    for (let col = 0; col < size; col++) tall.push(0.75 * field[near * size + col] + 0.25 * field[other * size + col]);
  }
  for (let row = 0; row < 2 * size; row++) for (let col = 0; col < 2 * size; col++) {
    const near = col >> 1, other = inside(near + (col % 2 ? 1 : -1));
    wide.push(0.75 * tall[row * size + near] + 0.25 * tall[row * size + other]);
  }
  return wide;
}

function coarseView(image, depth) {
  let size = side;
  for (let step = 0; step < depth; step++, size /= 2) image = pooled(image, size);
  for (let step = 0; step < depth; step++, size *= 2) image = upsampled(image, size);
  return image;
}

const answerOf = (fine, coarse, low, high) => fine.map((value, at) => (value > low ? (coarse[at] > high ? 2 : 1) : 0));

function meanIou(answer, truth) {
  const both = [0, 0, 0], either = [0, 0, 0];
  answer.forEach((kind, at) => {
    if (kind === truth[at]) { both[kind]++; either[kind]++; } else { either[kind]++; either[truth[at]]++; }
  });
  return both.map((count, kind) => (either[kind] ? count / either[kind] : 1)).reduce((sum, ratio) => sum + ratio) / 3;
}

function atBorder(truth, at) {
  const [row, col] = [Math.floor(at / side), at % side], inside = (value) => Math.max(0, Math.min(side - 1, value));
  for (const down of [-1, 0, 1]) for (const right of [-1, 0, 1])
    if (truth[inside(row + down) * side + inside(col + right)] !== truth[at]) return true;
  return false;
}

const segmented = {};

function segment({ depth, skips, noise, seed }) {
  const key = [depth, skips, noise, seed].join(" ");
  if (segmented[key]) return segmented[key];
  const [training, judged] = [seed + COURSE.trainingSeed, seed].map((one) => {
    const [image, truth] = scene(one, noise), coarse = coarseView(image, depth);
    return { image, truth, coarse, fine: skips ? image : coarse };
  });
  let best = [-1, 0, 0];
  for (const low of COURSE.thresholds) for (const high of COURSE.thresholds) {
    const reached = meanIou(answerOf(training.fine, training.coarse, low, high), training.truth);
    if (reached > best[0] + 1e-12) best = [reached, low, high];
  }
  const answer = answerOf(judged.fine, judged.coarse, best[1], best[2]);
  const wrong = answer.map((kind, at) => kind !== judged.truth[at]), border = wrong.map((_, at) => atBorder(judged.truth, at));
  const count = (wanted) => wrong.filter((one, at) => one && border[at] === wanted).length;
  return (segmented[key] = { image: judged.image, truth: judged.truth, answer, iou: meanIou(answer, judged.truth), atBorders: count(true), elsewhere: count(false) });
}

function skipSummary(state) {
  const { iou, atBorders, elsewhere } = segment(state);
  return `${state.skips ? "With" : "Without"} skip connections and depth ${state.depth}, the mean intersection over union is ` +
    `${(Math.floor(iou * 100 + 0.5) / 100).toFixed(2)}; ${atBorders} wrong pixels lie at borders, ${elsewhere} elsewhere.`;
}

// ---- the view ----

export { segment, skipSummary };
export default explorable({
  summary: skipSummary,
  predict: {
    question: "The network pools twice, then goes back to full size without skip connections. Where will it be wrong?",
    options: ["anywhere", "at the borders and on thin tracks", "inside of discs"],
    reveal: (guess) => `${guess === "at the borders and on thin tracks" ? "Right. " : ""}Pooling keeps what a region is made of and forgets where exactly. Skip connections hand the fine image across: it says ` +
      "where, the coarse one says what.",
  },
  build(view) {
    const names = ["image", "truth", "answer", "wrong pixels"], pictures = names.map((label) => view.grid({ label, cell: 6 }));
    const chips = ["mean IoU", "wrong at borders", "wrong elsewhere"].map((label) => view.chip(label));
    view.stage(pictures[0].panel, pictures[1].panel, ...pictures.slice(2).map(({ panel }) => view.veil(element("div", {}, panel))));
    view.note(view.veil(element("div", { class: "ce-row ce-middle ce-chain" }, chips.map((chip) => chip.node))));
    view.controls(
      view.toggle({ field: "skips", label: "skip connections" }),
      view.slider({ field: "depth", label: "depth (poolings by two)", max: COURSE.deepest }),
      view.slider({ field: "noise", label: "noise / signal", max: 0.6, step: 0.05 }),
      view.button("Next scene", () => view.set({ seed: (view.state.seed + 1) % 100 })), view.resetButton());
    const { palette } = COURSE, fills = [{ fill: "" }, { fill: palette.training }, { fill: palette.validation }];
    const rows = (field) => Array.from({ length: side }, (_, row) => field.slice(row * side, (row + 1) * side));
    view.draw((state) => {
      const now = segment(state), bright = intensity(-0.5, 1.5);
      pictures[0].paint({ values: rows(now.image), colour: bright });
      pictures[1].paint({ values: rows(now.truth), colour: (kind) => fills[kind], title: "truth: tracks blue, discs orange" });
      pictures[2].paint({ values: rows(now.answer), colour: (kind) => fills[kind], title: `answer, depth ${state.depth}` });
      pictures[3].paint({ values: rows(now.answer.map((kind, at) => Number(kind !== now.truth[at]))), colour: (wrong) => ({ fill: wrong ? palette.negative : "" }) });
      chips[0].write((Math.floor(now.iou * 100 + 0.5) / 100).toFixed(2), "over three classes");
      chips[1].write(String(now.atBorders), "pixels");
      chips[2].write(String(now.elsewhere), "pixels");
    });
  },
});
