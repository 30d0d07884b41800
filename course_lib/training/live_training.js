// The view of a training. Python sends points (float32, binary) and a small state; everything else is drawn here.
// Pure functions first; `render` only connects them to the page.

const BATCH = "batch loss";
const words = (name) => name.replaceAll("_", " ");
export const quantity = (name) => (name === BATCH ? "loss" : name.replace(/^val_/, ""));
export const dataSet = (name) => (name === BATCH ? "batch" : name.startsWith("val_") ? "validation" : "training");

/** A growing pair of float32 arrays. */
export function curve() {
  let x = new Float32Array(256), y = new Float32Array(256), n = 0;
  return {
    append(positions, values) {
      while (n + positions.length > x.length) {
        const longer = [new Float32Array(2 * x.length), new Float32Array(2 * x.length)];
        longer[0].set(x); longer[1].set(y);
        [x, y] = longer;
      }
      x.set(positions, n); y.set(values, n);
      n += positions.length;
    },
    get x() { return x.subarray(0, n); },
    get y() { return y.subarray(0, n); },
    get length() { return n; },
  };
}

/** Split a payload into curves: for each its positions, then its values. */
export function unpack(names, bytes) {
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  let at = 0;
  return names.map(([name, n]) => {
    const entry = [name, numbers.subarray(at, at + n), numbers.subarray(at + n, at + 2 * n)];
    at += 2 * n;
    return entry;
  });
}

/** Exponential mean, without the pull towards its start. */
export function smoothed(values, weight) {
  if (!weight) return values;
  const out = new Float32Array(values.length);
  let sum = 0, norm = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) {
      sum = weight * sum + (1 - weight) * values[i];
      norm = weight * norm + (1 - weight);
    }
    out[i] = Number.isFinite(values[i]) ? sum / norm : NaN;
  }
  return out;
}

/** About `count` round numbers from low to high; on a logarithmic scale powers of ten, with 2 and 5 between if few. */
export function ticks(low, high, count, log) {
  const out = [];
  if (log) {
    const decades = Math.log10(high / low);
    const every = Math.max(1, Math.ceil(decades / count));
    const parts = decades < 1.2 ? [1, 2, 3, 4, 5, 6, 8] : decades < 3 ? [1, 2, 5] : [1];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
      if (power % every === 0) for (const part of parts) out.push(Number(`${part}e${power}`));
  } else {
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-12) + step * 1e-9; k++) out.push(k * step);
  }
  return out.filter((value) => value >= low - 1e-12 * Math.abs(low) && value <= high * (1 + 1e-9));
}

export function show(value) {
  if (value === undefined || value === null) return "";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : "infinite";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("-", "−");
}

const tickText = (value) => {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(0) : String(Number(value.toPrecision(6)));
  return text.replace("-", "−");
};

export function duration(seconds) {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Limits of the values worth seeing: every epoch, and single batches without their rarest spikes. */
export function limits(curves, log) {
  let low = Infinity, high = -Infinity;
  for (const [name, values] of curves) {
    let seen = Array.from(values).filter((value) => Number.isFinite(value) && (!log || value > 0));
    if (name === BATCH && seen.length > 20) {
      seen.sort((a, b) => a - b);
      seen = [seen[Math.floor(0.005 * seen.length)], seen[Math.floor(0.985 * seen.length)]];
    }
    for (const value of seen) { if (value < low) low = value; if (value > high) high = value; }
  }
  if (low > high) return null;
  if (log) { const pad = Math.max(1.08, (high / low) ** 0.06); return [low / pad, high * pad]; }
  const pad = Math.max(0.06 * (high - low), 0.02 * Math.abs(high), 1e-9);
  // Touching zero looks better than stopping just short of it.
  return [low >= 0 && low - pad < 0.15 * (high - low) ? 0 : low - pad, high + pad];
}

/** End of the axis: the plan, reached in doublings, so that the first epochs of many are not a sliver. */
export function horizon(last, planned) {
  if (!planned || last > planned) return last || 1;
  let end = planned;
  while (end / 2 >= last * 1.02 && end / 2 >= planned / 64) end /= 2;
  return end;
}

// --- the page ---------------------------------------------------------------------------------------------------

const element = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
};

/** Curves and state of one run; it outlives the views, which come and go with the page's scrolling. */
const runs = new Map();
function runOf(model) {
  const key = model.get("setup").run;
  if (!runs.has(key)) runs.set(key, { curves: new Map(), state: {}, views: new Set() });
  return runs.get(key);
}

function receive(run, message, buffers) {
  if (message.kind !== "curves") return;
  if (message.complete) run.curves.clear();
  for (const [name, x, y] of unpack(message.curves, buffers[0])) {
    if (!run.curves.has(name)) run.curves.set(name, curve());
    run.curves.get(name).append(x, y);
  }
  run.state = message.state;
  for (const update of run.views) update();
}

function draw(canvas, panel, run, options) {
  const style = getComputedStyle(panel.box), paint = canvas.getContext("2d");
  const colour = (name) => getComputedStyle(panel.inks[name]).color;
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  paint.setTransform(ratio, 0, 0, ratio, 0, 0);
  paint.clearRect(0, 0, width, height);
  const state = run.state, steps = state.steps, mine = [...run.curves].filter(([name]) => quantity(name) === panel.name);
  const range = limits(mine.map(([name, points]) => [name, points.y]), options.log);
  paint.font = `12px ${style.fontFamily}`;
  if (!range) {
    paint.fillStyle = colour("muted");
    paint.textAlign = "center";
    const any = mine.some(([, points]) => points.length);
    paint.fillText(any ? (options.log ? "no positive value for a logarithmic axis" : "no finite value") : "waiting for the first batch …", width / 2, height / 2);
    return;
  }
  const [low, high] = range;
  // All panels share their axis, also where one has no single batches.
  const last = Math.max(1, ...[...run.curves].map(([, points]) => (points.length ? points.x[points.length - 1] : 0)));
  const before = (state.firstEpoch || 1) - 1;
  const end = horizon(last, steps && state.epochs ? (state.epochs - before) * steps : 0);
  const yTicks = ticks(low, high, 5, options.log);
  const left = 12 + Math.max(22, ...yTicks.map((value) => paint.measureText(tickText(value)).width)), right = width - 14, top = 12, bottom = height - 36;
  const toX = (x) => left + ((right - left) * x) / end;
  const scale = options.log ? Math.log : (value) => value;
  const toY = (y) => bottom - ((bottom - top) * (scale(y) - scale(low))) / (scale(high) - scale(low));
  panel.toBatch = (pixel) => ((pixel - left) / (right - left)) * end;

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
  // Batches are counted as long as nobody knows how many make an epoch.
  const per = steps || 1;
  paint.textAlign = "center";
  paint.textBaseline = "top";
  for (const value of ticks(0, end / per, Math.max(3, Math.min(8, width / 70)), false)) {
    if (steps && end / per >= 3 && value !== Math.round(value)) continue;
    const x = Math.round(toX(value * per)) + 0.5;
    paint.strokeStyle = colour("muted");
    paint.beginPath(); paint.moveTo(x, bottom); paint.lineTo(x, bottom + 4); paint.stroke();
    paint.fillStyle = colour("muted");
    paint.fillText(tickText(value + (steps ? before : 0)), x, bottom + 7);
  }
  paint.fillText(steps ? "epoch" : "batch", (left + right) / 2, bottom + 21);
  paint.strokeStyle = colour("muted");
  paint.beginPath(); paint.moveTo(left + 0.5, top); paint.lineTo(left + 0.5, bottom + 0.5); paint.lineTo(right, bottom + 0.5); paint.stroke();

  paint.save();
  paint.beginPath(); paint.rect(left, 0, right - left + 8, bottom); paint.clip();
  if (["overfitting", "diverging"].includes(state.finding?.kind)) {
    const x = toX(state.finding.batch);
    paint.fillStyle = colour("highlight");
    paint.globalAlpha = 0.14;
    paint.fillRect(x, top, toX(last) - x, bottom - top);
    paint.globalAlpha = 1;
  }
  if (state.bestBatch && mine.some(([name, points]) => name !== BATCH && points.length > 1)) {
    const x = toX(state.bestBatch);
    paint.strokeStyle = colour("muted");
    paint.setLineDash([7, 3, 2, 3]);
    paint.beginPath(); paint.moveTo(x, top); paint.lineTo(x, bottom); paint.stroke();
    paint.setLineDash([]);
    paint.fillStyle = colour("muted");
    paint.textBaseline = "top";
    const text = state.finding?.batch === state.bestBatch && last > state.bestBatch ? `best, then ${state.finding.kind}` : "best";
    const flip = x + 10 + paint.measureText(text).width > right;
    paint.textAlign = flip ? "right" : "left";
    paint.fillText(text, x + (flip ? -5 : 5), top);
  }
  const line = (points, values, dash) => {
    paint.setLineDash(dash);
    paint.beginPath();
    let pen = false, column = null, min = 0, max = 0, end = 0;
    const flush = () => { if (column !== null && max > min) { paint.moveTo(column, min); paint.lineTo(column, max); paint.moveTo(column, end); } };
    for (let i = 0; i < points.length; i++) {
      const y = options.log && values[i] <= 0 ? NaN : toY(values[i]);
      if (!Number.isFinite(y)) { pen = false; continue; }
      const x = toX(points[i]);
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
  for (const kind of ["batch", "training", "validation"])
    for (const [name, points] of mine.filter(([name]) => dataSet(name) === kind)) {
      paint.strokeStyle = colour(kind === "batch" ? "training" : kind);
      const dash = kind === "validation" ? [7, 4] : [], strong = kind === "batch" ? 0.5 : 1, thick = kind === "batch" ? 1 : 2.4;
      paint.lineJoin = "round";
      if (options.smoothing) {
        paint.globalAlpha = kind === "batch" ? 0.2 : 0.3;
        paint.lineWidth = kind === "batch" ? 1 : 1.5;
        line(points.x, points.y, dash);
      }
      paint.globalAlpha = options.smoothing && kind === "batch" ? 0.75 : strong;
      paint.lineWidth = thick + (options.smoothing && kind === "batch" ? 0.5 : 0);
      const values = smoothed(points.y, options.smoothing);
      line(points.x, values, dash);
      paint.globalAlpha = 1;
      if (kind === "batch" || points.length * 14 > right - left) continue;
      for (let i = 0; i < points.length; i++) {
        const x = toX(points.x[i]), y = toY(values[i]);
        if (!Number.isFinite(y)) continue;
        paint.beginPath(); paint.arc(x, y, kind === "validation" ? 3.4 : 3, 0, 7);
        paint.fillStyle = kind === "validation" ? colour("surface") : paint.strokeStyle;
        paint.fill();
        if (kind === "validation") { paint.lineWidth = 2; paint.stroke(); }
      }
    }
  const star = run.curves.get(state.bestName);
  if (state.bestBatch && star && quantity(state.bestName) === panel.name && star.length > 1) {
    const i = star.x.findIndex((x) => x >= state.bestBatch);
    if (i >= 0) {
      const x = toX(star.x[i]), y = toY(smoothed(star.y, options.smoothing)[i]);
      paint.beginPath();
      for (let k = 0; k < 10; k++) { const r = k % 2 ? 3.6 : 8.4, a = (Math.PI * k) / 5 - Math.PI / 2; paint.lineTo(x + r * Math.cos(a), y + r * Math.sin(a)); }
      paint.closePath();
      paint.fillStyle = colour("highlight"); paint.fill();
      paint.lineWidth = 1.2; paint.strokeStyle = colour("ink"); paint.stroke();
    }
  }
  if (options.cursor !== null) {
    const x = Math.round(toX(options.cursor)) + 0.5;
    paint.lineWidth = 1; paint.strokeStyle = colour("ink");
    paint.beginPath(); paint.moveTo(x, top); paint.lineTo(x, bottom); paint.stroke();
  }
  paint.restore();
}

function render({ model, el }) {
  const run = runOf(model), setup = model.get("setup");
  const options = { log: false, smoothing: 0, cursor: null };
  const facts = element("div", { class: "ct-facts" });
  const bar = element("i");
  const progress = element("div", { class: "ct-progress", role: "progressbar", "aria-label": "progress of the training", "aria-valuemin": 0, "aria-valuemax": 100 }, bar);
  const area = element("div", { class: "ct-panels" });
  const log = element("input", { type: "checkbox", onchange: () => { options.log = log.checked; later(); } });
  const amount = element("output", {}, "off");
  const smoothing = element("input", { type: "range", min: 0, max: 0.99, step: 0.01, value: 0, oninput: () => {
    options.smoothing = Number(smoothing.value);
    amount.textContent = options.smoothing ? options.smoothing.toFixed(2) : "off";
    later();
  } });
  const ask = (action, value = null) => model.send({ kind: "control", action, value });
  const pause = element("button", { type: "button", onclick: () => ask(run.state.paused ? "continue" : "pause") }, "Pause");
  const step = element("button", { type: "button", onclick: () => ask("step") }, "One step");
  const stop = element("button", { type: "button", onclick: () => ask("stop") }, "Stop, keep weights");
  const rateText = element("output");
  const start = setup.learningRate, rate = element("input", { type: "range", min: -3, max: 2, step: 0.05, value: 0,
    oninput: () => { rateText.textContent = show(start * 10 ** rate.value); ask("learning rate", start * 10 ** rate.value); } });
  const steering = element("div", { class: "ct-controls ct-steering", role: "group", "aria-label": "steer the training" }, pause, step, stop,
    start ? element("label", {}, "learning rate", rate, rateText) : "");
  steering.hidden = !setup.controls;
  const finding = element("p", { class: "ct-finding", role: "status", hidden: "" });
  const table = element("div", { class: "ct-table", tabindex: 0 });
  const values = element("details", { ontoggle: () => later() }, element("summary", {}, "Values as a table"), table);
  const summary = element("p", { class: "ct-summary", "aria-live": "polite" });
  const root = element("section", { class: "course-training", "aria-label": setup.title },
    element("header", {}, element("h3", {}, setup.title), facts), progress, steering, area, finding,
    element("div", { class: "ct-controls" }, element("label", {}, log, "logarithmic values"), element("label", {}, "smoothing", smoothing, amount)),
    summary, values);
  el.append(root);

  const panels = new Map();
  function panelOf(name) {
    if (panels.has(name)) return panels.get(name);
    const unit = setup.units[name] ? ` / ${setup.units[name]}` : "";
    const keys = element("span", { style: "display: contents" });
    const canvas = element("canvas", { role: "img", tabindex: 0 });
    const inks = {};
    const hidden = element("span", { hidden: "" });
    for (const ink of ["ink", "muted", "grid", "surface", "training", "validation"]) hidden.append((inks[ink] = element("i", { style: `color: var(--ct-${ink})` })));
    hidden.append((inks.highlight = element("i", { style: "color: var(--course-highlight)" })));
    const box = element("figure", {}, element("figcaption", {}, element("strong", {}, words(name) + unit), keys), canvas, hidden);
    const panel = { name, box, canvas, keys, inks, toBatch: () => 0 };
    canvas.addEventListener("pointermove", (event) => { moveCursor(nearest(panel.toBatch(event.offsetX))); });
    canvas.addEventListener("pointerleave", () => moveCursor(null));
    canvas.addEventListener("blur", () => moveCursor(null));
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], at = ends();
      if (event.key === "Escape") moveCursor(null);
      if (!step || !at.length) return;
      const now = options.cursor === null ? (step > 0 ? -1 : at.length) : at.indexOf(options.cursor);
      moveCursor(at[Math.max(0, Math.min(at.length - 1, now + step))]);
      event.preventDefault();
      event.stopPropagation();
    });
    area.append(box);
    panels.set(name, panel);
    return panel;
  }

  /** Batches at which epochs ended. */
  const ends = () => Array.from(([...run.curves].find(([name, points]) => name !== BATCH && points.length) || [null, { x: [] }])[1].x);
  const nearest = (batch) => ends().reduce((best, end) => (best === null || Math.abs(end - batch) < Math.abs(best - batch) ? end : best), null);
  function moveCursor(batch) { if (options.cursor !== batch) { options.cursor = batch; later(); } }

  function caption(panel) {
    const state = run.state, at = options.cursor, keys = [];
    for (const kind of ["training", "validation", "batch"])
      for (const [name, points] of run.curves) {
        if (quantity(name) !== panel.name || dataSet(name) !== kind || !points.length || (at !== null && kind === "batch")) continue;
        const i = at === null ? points.length - 1 : points.x.findIndex((x) => x >= at);
        if (i < 0) continue;
        keys.push(element("span", { class: `ct-key ct-${kind}` }, element("i"), kind === "batch" ? "each batch" : kind, kind === "batch" ? "" : element("b", {}, show(points.y[i]))));
      }
    const order = ends();
    if (at !== null) keys.push(element("small", {}, `at epoch ${order.indexOf(at) + (state.firstEpoch || 1)}`));
    panel.keys.replaceChildren(...keys);
    panel.canvas.setAttribute("aria-label", `${words(panel.name)} against epoch: ${keys.map((key) => key.textContent.trim()).join(", ")}. Arrow keys read out single epochs.`);
  }

  let spoken = 0;
  function update() {
    const state = run.state;
    const names = [...new Set([...run.curves.keys()].map(quantity))];
    names.sort((a, b) => (b === "loss") - (a === "loss"));
    for (const name of names.length ? names : ["loss"]) panelOf(name);
    const parts = [], over = state.outcome && state.outcome !== "running";
    if (state.epoch) {
      parts.push(element("span", {}, "epoch ", element("b", {}, String(state.epoch)), state.epochs ? ` of ${state.epochs}` : ""));
      if (over) parts.push(element("span", {}, state.outcome));
      else if (state.paused) parts.push(element("span", {}, element("b", {}, "paused")));
      else if (state.phase === "validation") parts.push(element("span", {}, "validating"));
      if (state.samplesPerSecond && !state.paused) parts.push(element("span", {}, element("b", {}, Number(state.samplesPerSecond.toPrecision(2)).toLocaleString("en").replaceAll(",", " ")), " samples/s"));
      if (!over && !state.paused && state.secondsLeft !== null && state.secondsLeft !== undefined) parts.push(element("span", {}, element("b", {}, duration(state.secondsLeft)), " left"));
    }
    facts.replaceChildren(...parts);
    if (state.epochs) {
      const done = (state.epoch - 1 + (state.steps ? Math.min(1, state.batch / state.steps) : 0)) / state.epochs;
      bar.style.width = `${100 * done}%`;
      progress.setAttribute("aria-valuenow", Math.round(100 * done));
    }
    progress.hidden = !state.epochs;
    finding.hidden = !state.finding;
    // Written only when it changes: a screen reader says every writing.
    const said = state.finding ? state.finding.words : "";
    if (finding.textContent !== said) finding.textContent = said;
    if (setup.controls) {
      pause.textContent = state.paused ? "Continue" : "Pause";
      for (const control of [pause, step, stop, rate]) control.disabled = Boolean(over);
      if (start && document.activeElement !== rate && state.learningRate) {
        rate.value = Math.log10(state.learningRate / start);
        rateText.textContent = show(state.learningRate);
      }
    }
    // A screen reader gets a sentence every five seconds, not a torrent.
    if (state.summary && state.summary !== summary.textContent && (over || performance.now() - spoken > 5000)) {
      summary.textContent = state.summary;
      spoken = performance.now();
    }
    for (const panel of panels.values()) { caption(panel); draw(panel.canvas, panel, run, options); }
    if (values.open) fillTable();
    root.dataset.points = [...run.curves.values()].reduce((sum, points) => sum + points.length, 0);
    root.dataset.epoch = state.epoch || 0;
    root.dataset.batches = run.curves.get(BATCH)?.x.at(-1) ?? 0;
    root.dataset.outcome = state.outcome || "";
  }

  function fillTable() {
    const names = [...run.curves.keys()].filter((name) => name !== BATCH), at = ends();
    const head = element("tr", {}, ...["epoch", ...names.map(words)].map((text) => element("th", { scope: "col" }, text)));
    const rows = at.map((end, i) => element("tr", {}, element("td", {}, String(i + (run.state.firstEpoch || 1))), ...names.map((name) => {
      const points = run.curves.get(name), k = points.x.indexOf(end);
      return element("td", {}, k < 0 ? "" : show(points.y[k]));
    })));
    table.replaceChildren(element("table", {}, head, ...rows.slice(-200)));
  }

  // However many messages arrive, the page draws once a frame.
  let frame = 0;
  function later() { if (!frame) frame = requestAnimationFrame(() => { frame = 0; update(); }); }
  const resized = new ResizeObserver(later);
  resized.observe(area);
  // Changes of JupyterLab's theme repaint the canvas, which CSS does not reach.
  const themed = new MutationObserver(later);
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
  run.views.add(later);
  update();
  return () => {
    run.views.delete(later);
    resized.disconnect();
    themed.disconnect();
    cancelAnimationFrame(frame);
  };
}

function initialize({ model }) {
  const run = runOf(model);
  const handler = (message, buffers) => receive(run, message, buffers);
  model.on("msg:custom", handler);
  // Only a training in a worker thread can answer: a page loaded again gets its curves back.
  if (model.get("setup").controls) model.send({ kind: "hello", page: performance.timeOrigin });
  return () => { model.off("msg:custom", handler); runs.delete(model.get("setup").run); };
}

export default { initialize, render };
