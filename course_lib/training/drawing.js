// One panel of curves on a canvas. `run` holds curves and state, `options` what the reader chose.

const element = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
};

const isEarlier = (curve) => curve.model < 0;
const LONG = ["overfitting", "diverging", "not learning"];

/** The models of a run; a page that was loaded again knows none until Python answers. */
const modelsOf = (run) => run.state.models || [];
const several = (run) => modelsOf(run).length > 1;

/** Batches that make one step of the axis: an epoch, or a single batch as long as a model's epoch is unknown. */
function unit(run) {
  const steps = modelsOf(run).map((model) => model.steps);
  const known = steps.length > 0 && steps.every(Boolean), before = (run.state.firstEpoch || 1) - 1;
  return {
    known, before,
    // Earlier runs come in whole epochs, the others in batches.
    place: (curve, x) => (isEarlier(curve) ? (x - before) * (known ? 1 : run.state.steps || 1) : known ? x / steps[curve.model] : x),
  };
}

/** Colour of a curve: what it is in a training of one model, whose it is where several train. */
const inkOf = (run, curve) => (several(run) ? `model-${curve.model % 8}` : dataSet(curve.name) === "validation" ? "validation" : "training");

function draw(panel, run, options) {
  const { canvas } = panel, style = getComputedStyle(panel.box), paint = canvas.getContext("2d");
  const colour = (name) => getComputedStyle(panel.inks[name]).color;
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  paint.setTransform(ratio, 0, 0, ratio, 0, 0);
  paint.clearRect(0, 0, width, height);
  const state = run.state, axis = unit(run), curves = [...run.curves.values()];
  const mine = curves.filter((each) => quantity(each.name) === panel.name && !isEarlier(each));
  const before = options.earlier === "hide" ? [] : curves.filter(isEarlier), behind = before.filter((each) => quantity(each.name) === panel.name);
  const range = limits([...mine, ...behind].map((each) => [each.name, each.points.y]), options.log);
  paint.font = `12px ${style.fontFamily}`;
  if (!range) {
    paint.fillStyle = colour("muted");
    paint.textAlign = "center";
    const any = mine.some((each) => each.points.length);
    paint.fillText(any ? (options.log ? "no positive value for a logarithmic axis" : "no finite value") : "waiting for the first batch …", width / 2, height / 2);
    return;
  }
  const [low, high] = range;
  // All panels share their axis, also where one has no single batches.
  const furthest = (list) => Math.max(0, ...list.map((each) => (each.points.length ? axis.place(each, each.points.x[each.points.length - 1]) : 0)));
  const last = furthest(curves.filter((each) => !isEarlier(each)));
  // Seeing how far the others came is what lines behind are for.
  const seen = Math.max(axis.known ? 0 : 1, last, furthest(before));
  const end = horizon(seen, axis.known && state.epochs ? state.epochs - axis.before : 0);
  const yTicks = ticks(low, high, 5, options.log);
  const left = 12 + Math.max(22, ...yTicks.map((value) => paint.measureText(tickText(value)).width)), right = width - 14, top = 12, bottom = height - 36;
  const toX = (x) => left + ((right - left) * x) / end;
  const scale = options.log ? Math.log : (value) => value;
  const toY = (y) => (options.log && y <= 0 ? NaN : bottom - ((bottom - top) * (scale(y) - scale(low))) / (scale(high) - scale(low)));
  panel.toAxis = (pixel) => ((pixel - left) / (right - left)) * end;

  paint.lineWidth = 1;
  paint.textBaseline = "middle";
  paint.textAlign = "right";
  for (const value of yTicks) {
    const y = Math.round(toY(value)) + 0.5;
    paint.strokeStyle = colour("grid");
    paint.beginPath(); paint.moveTo(left, y); paint.lineTo(right, y); paint.stroke();
    paint.fillStyle = colour("muted");
    paint.fillText(tickText(value), left - 7, y);
  }
  paint.textAlign = "center";
  paint.textBaseline = "top";
  for (const value of ticks(0, end, Math.max(3, Math.min(8, width / 70)), false)) {
    if ((!axis.known || end >= 3) && value !== Math.round(value)) continue;
    const x = Math.round(toX(value)) + 0.5;
    paint.strokeStyle = colour("muted");
    paint.beginPath(); paint.moveTo(x, bottom); paint.lineTo(x, bottom + 4); paint.stroke();
    paint.fillStyle = colour("muted");
    paint.fillText(tickText(value + (axis.known ? axis.before : 0)), x, bottom + 7);
  }
  paint.fillText(axis.known ? "epoch" : "batch", (left + right) / 2, bottom + 21);
  paint.strokeStyle = colour("muted");
  paint.beginPath(); paint.moveTo(left + 0.5, top); paint.lineTo(left + 0.5, bottom + 0.5); paint.lineTo(right, bottom + 0.5); paint.stroke();

  paint.save();
  paint.beginPath(); paint.rect(left, 0, right - left + 8, bottom); paint.clip();
  const [only] = modelsOf(run), marks = !several(run) && only ? marksOf(only, mine, axis, last) : [];
  for (const mark of marks.filter((each) => each.until !== undefined)) {
    paint.fillStyle = colour("highlight");
    paint.globalAlpha = 0.14;
    paint.fillRect(toX(mark.x), top, toX(mark.until) - toX(mark.x), bottom - top);
    paint.globalAlpha = 1;
  }
  marks.filter((each) => each.text).forEach((mark, row) => {
    const x = toX(mark.x), flip = x + 10 + paint.measureText(mark.text).width > right;
    paint.strokeStyle = paint.fillStyle = colour(mark.ink);
    if (mark.dash) {
      paint.lineWidth = mark.ink === "negative" ? 2 : 1;
      paint.setLineDash(mark.dash);
      paint.beginPath(); paint.moveTo(x, top); paint.lineTo(x, bottom); paint.stroke();
      paint.setLineDash([]);
    }
    paint.textBaseline = "top";
    paint.textAlign = flip ? "right" : "left";
    paint.fillText(mark.text, x + (flip ? -5 : 5), top + 15 * row);
  });

  const line = (curve, values, dash) => {
    paint.setLineDash(dash);
    paint.beginPath();
    let pen = false, column = null, min = 0, max = 0, end = 0;
    const flush = () => { if (column !== null && max > min) { paint.moveTo(column, min); paint.lineTo(column, max); paint.moveTo(column, end); } };
    for (let i = 0; i < values.length; i++) {
      const y = toY(values[i]);
      if (!Number.isFinite(y)) { pen = false; continue; }
      const x = toX(axis.place(curve, curve.points.x[i]));
      // Many points in one column of pixels are one vertical stroke.
      if (pen && column !== null && x - column < 0.5) { min = Math.min(min, y); max = Math.max(max, y); end = y; continue; }
      flush();
      if (pen) paint.lineTo(x, y); else paint.moveTo(x, y);
      pen = true; column = x; min = max = end = y;
    }
    flush();
    paint.stroke();
    paint.setLineDash([]);
  };
  const dashOf = (curve) => (dataSet(curve.name) === "validation" ? [7, 4] : []);
  paint.lineJoin = "round";
  if (options.earlier === "lines")
    for (const each of behind) {
      paint.strokeStyle = colour("muted");
      paint.globalAlpha = 0.55; paint.lineWidth = 1.2;
      line(each, each.points.y, dashOf(each));
    }
  if (options.earlier === "band")
    for (const kind of ["training", "validation"]) {
      const band = spread(behind.filter((each) => dataSet(each.name) === kind).map((each) => each.points));
      if (!band.length) continue;
      paint.fillStyle = paint.strokeStyle = colour(several(run) ? "muted" : kind);
      paint.globalAlpha = 0.18;
      paint.beginPath();
      const x = (each) => toX(axis.place(behind[0], each.x)), y = (value) => { const at = toY(value); return Number.isFinite(at) ? at : bottom; };
      for (const each of band) paint.lineTo(x(each), y(each.mean + each.deviation));
      for (const each of [...band].reverse()) paint.lineTo(x(each), y(each.mean - each.deviation));
      paint.fill();
      paint.globalAlpha = 0.6; paint.lineWidth = 1;
      paint.setLineDash(kind === "validation" ? [7, 4] : []);
      paint.beginPath();
      for (const each of band) paint.lineTo(x(each), y(each.mean));
      paint.stroke();
      paint.setLineDash([]);
    }
  for (const kind of ["batch", "training", "validation"])
    for (const curve of mine.filter((each) => dataSet(each.name) === kind)) {
      const { points } = curve, dash = dashOf(curve), strong = kind === "batch" ? 0.5 : 1, thick = kind === "batch" ? 1 : 2.4;
      paint.strokeStyle = colour(inkOf(run, curve));
      if (options.smoothing) {
        paint.globalAlpha = kind === "batch" ? 0.2 : 0.3;
        paint.lineWidth = kind === "batch" ? 1 : 1.5;
        line(curve, points.y, dash);
      }
      paint.globalAlpha = options.smoothing && kind === "batch" ? 0.75 : strong;
      paint.lineWidth = thick + (options.smoothing && kind === "batch" ? 0.5 : 0);
      const values = smoothed(points.y, options.smoothing);
      line(curve, values, dash);
      paint.globalAlpha = 1;
      if (kind === "batch" || points.length * 14 > right - left) continue;
      for (let i = 0; i < points.length; i++) {
        const x = toX(axis.place(curve, points.x[i])), y = toY(values[i]);
        if (!Number.isFinite(y)) continue;
        paint.beginPath(); paint.arc(x, y, kind === "validation" ? 3.4 : 3, 0, 7);
        paint.fillStyle = kind === "validation" ? colour("surface") : paint.strokeStyle;
        paint.fill();
        if (kind === "validation") { paint.lineWidth = 2; paint.stroke(); }
      }
    }
  modelsOf(run).forEach((model, index) => {
    const best = mine.find((each) => each.model === index && each.name === model.bestName);
    if (!model.bestBatch || !best || best.points.length < 2) return;
    const i = best.points.x.findIndex((x) => x >= model.bestBatch);
    if (i < 0) return;
    const x = toX(axis.place(best, best.points.x[i])), y = toY(smoothed(best.points.y, options.smoothing)[i]);
    paint.beginPath();
    for (let k = 0; k < 10; k++) { const r = k % 2 ? 3.6 : 8.4, a = (Math.PI * k) / 5 - Math.PI / 2; paint.lineTo(x + r * Math.cos(a), y + r * Math.sin(a)); }
    paint.closePath();
    paint.fillStyle = colour(several(run) ? inkOf(run, best) : "highlight"); paint.fill();
    paint.lineWidth = 1.2; paint.strokeStyle = colour("ink"); paint.stroke();
  });
  if (options.cursor !== null) {
    const x = Math.round(toX(options.cursor)) + 0.5;
    paint.lineWidth = 1; paint.strokeStyle = colour("ink");
    paint.beginPath(); paint.moveTo(x, top); paint.lineTo(x, bottom); paint.stroke();
  }
  paint.restore();
}

/** Marks of a training of one model: the best epoch, and where what the verdict says began to hold. */
function marksOf(model, mine, axis, last) {
  const { finding } = model, marks = [], curve = { model: 0 };
  const shaded = finding && LONG.includes(finding.kind);
  if (shaded) marks.push({ x: axis.place(curve, finding.batch), until: last });
  if (model.bestBatch && mine.some((each) => each.name !== BATCH && each.points.length > 1)) {
    const then = shaded && finding.batch === model.bestBatch && axis.place(curve, model.bestBatch) < last;
    marks.push({ x: axis.place(curve, model.bestBatch), text: then ? `best, then ${finding.kind}` : "best", dash: [7, 3, 2, 3], ink: "muted" });
  }
  if (finding?.kind === "not a number") marks.push({ x: axis.place(curve, finding.batch), text: finding.kind, dash: [2, 3], ink: "negative" });
  if (["not learning", "still improving"].includes(finding?.kind)) marks.push({ x: last, text: finding.kind, ink: "muted" });
  return marks;
}
