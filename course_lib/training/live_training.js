// The view of a training. Python sends points (float32, binary) and a small state; everything else is drawn here.

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
  for (const { model, name, x, y } of unpack(message.curves, buffers[0])) {
    const key = `${model} ${name}`;
    if (!run.curves.has(key)) run.curves.set(key, { model, name, points: curve() });
    run.curves.get(key).points.append(x, y);
  }
  run.state = message.state;
  for (const update of run.views) update();
}

const INKS = ["ink", "muted", "grid", "surface", "training", "validation", "highlight", "negative", ...[0, 1, 2, 3, 4, 5, 6, 7].map((k) => `model-${k}`)];
const percent = (share) => `${Math.round(100 * share)} %`;
const LAYERS = [
  ["layer", (layer) => layer.name],
  ["norm of the gradient", (layer) => show(layer.gradient_norm)],
  ["norm of the weights", (layer) => show(layer.weight_norm)],
  ["update / weights", (layer) => show(layer.update_ratio)],
  ["dead units", (layer) => (layer.dead_share === null ? "" : percent(layer.dead_share))],
];
/** What deserves a look: half of the units dead, steps ten times larger or smaller than a thousandth. */
const unusual = (layer, column) =>
  column === 4 ? layer.dead_share >= 0.5 : column === 3 && layer.update_ratio !== null && (layer.update_ratio > 0.01 || layer.update_ratio < 0.0001);

function render({ model, el }) {
  const run = runOf(model), setup = model.get("setup");
  const options = { log: false, smoothing: 0, earlier: "lines", cursor: null };
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
  const earlier = element("select", { onchange: () => { options.earlier = earlier.value; later(); } },
    ...[["lines", "lines"], ["band", "mean and spread"], ["hide", "hidden"]].map(([value, text]) => element("option", { value }, text)));
  const behind = element("label", { hidden: "" }, "earlier runs", earlier);
  const ask = (action, value = null) => model.send({ kind: "control", action, value });
  const pause = element("button", { type: "button", onclick: () => ask(run.state.paused ? "continue" : "pause") }, "Pause");
  const step = element("button", { type: "button", onclick: () => ask("step") }, "One step");
  const stop = element("button", { type: "button", onclick: () => ask("stop") }, "Stop, keep weights");
  const look = element("button", { type: "button", onclick: () => ask("inspect") }, "Look into the layers");
  const rateText = element("output");
  const showRate = (value) => { rateText.textContent = setup.rateIsFactor ? `× ${show(value)}` : show(value); };
  const start = setup.learningRate, rate = element("input", { type: "range", min: -3, max: 2, step: 0.05, value: 0,
    oninput: () => { showRate(start * 10 ** rate.value); ask("learning rate", start * 10 ** rate.value); } });
  const steering = element("div", { class: "ct-controls ct-steering", role: "group", "aria-label": "steer the training" }, pause, step, stop,
    start ? element("label", {}, setup.rateIsFactor ? "learning rates" : "learning rate", rate, rateText) : "", setup.inspect ? look : "");
  steering.hidden = !setup.controls;
  const finding = element("p", { class: "ct-finding", role: "status", hidden: "" });
  const layers = element("div", { class: "ct-layers ct-table", role: "region", "aria-label": "layers", tabindex: 0, hidden: "" });
  const table = element("div", { class: "ct-table", role: "region", "aria-label": "values of each epoch", tabindex: 0 });
  const values = element("details", { ontoggle: () => later() }, element("summary", {}, "Values as a table"), table);
  const summary = element("p", { class: "ct-summary", "aria-live": "polite" });
  const root = element("section", {
    class: "course-training", "aria-label": setup.title,
    // Else JupyterLab takes the arrow keys of the sliders for its own commands.
    "data-lm-suppress-shortcuts": "true", onkeydown: (event) => event.stopPropagation(),
  },
    element("header", {}, element("h3", {}, setup.title), facts), progress, steering, area, finding, layers,
    element("div", { class: "ct-controls" }, element("label", {}, log, "logarithmic values"), element("label", {}, "smoothing", smoothing, amount), behind),
    summary, values);
  el.append(root);

  const panels = new Map();
  function panelOf(name) {
    if (panels.has(name)) return panels.get(name);
    const unitText = setup.units[name] ? ` / ${setup.units[name]}` : "";
    const keys = element("span", { style: "display: contents" });
    const canvas = element("canvas", { role: "img", tabindex: 0 });
    const inks = {};
    const hidden = element("span", { hidden: "" });
    for (const ink of INKS) hidden.append((inks[ink] = element("i", { style: `color: var(--ct-${ink})` })));
    const box = element("figure", {}, element("figcaption", {}, element("strong", {}, words(name) + unitText), keys), canvas, hidden);
    const panel = { name, box, canvas, keys, inks, toAxis: () => 0 };
    canvas.addEventListener("pointermove", (event) => { moveCursor(nearest(panel.toAxis(event.offsetX))); });
    canvas.addEventListener("pointerleave", () => moveCursor(null));
    canvas.addEventListener("blur", () => moveCursor(null));
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key], at = ends();
      if (event.key === "Escape") moveCursor(null);
      if (!by || !at.length) return;
      const now = options.cursor === null ? (by > 0 ? -1 : at.length) : at.indexOf(options.cursor);
      moveCursor(at[Math.max(0, Math.min(at.length - 1, now + by))]);
      event.preventDefault();
      event.stopPropagation();
    });
    area.append(box);
    panels.set(name, panel);
    return panel;
  }

  const own = () => [...run.curves.values()].filter((each) => !isEarlier(each));
  const epochwise = () => own().filter((each) => each.name !== BATCH);
  /** Places on the axis where epochs ended, of the model that is furthest. */
  function ends() {
    const axis = unit(run), longest = epochwise().reduce((best, each) => (each.points.length > (best?.points.length || 0) ? each : best), null);
    return longest ? Array.from(longest.points.x, (x) => axis.place(longest, x)) : [];
  }
  const nearest = (place) => ends().reduce((best, end) => (best === null || Math.abs(end - place) < Math.abs(best - place) ? end : best), null);
  function moveCursor(place) { if (options.cursor !== place) { options.cursor = place; later(); } }

  const nameOf = (index) => (several(run) ? modelsOf(run)[index]?.name || "" : "");
  function caption(panel) {
    const state = run.state, at = options.cursor, axis = unit(run), keys = [], mine = own().filter((each) => quantity(each.name) === panel.name);
    mine.sort((a, b) => a.model - b.model || ["training", "validation", "batch"].indexOf(dataSet(a.name)) - ["training", "validation", "batch"].indexOf(dataSet(b.name)));
    for (const each of mine) {
      const kind = dataSet(each.name), { points } = each, batch = kind === "batch";
      // Of several models single batches need no key of their own, except while there is nothing else.
      const alone = !mine.some((other) => other.model === each.model && other !== each && other.points.length);
      if (!points.length || (batch && (at !== null || (several(run) && !alone)))) continue;
      const i = at === null ? points.length - 1 : points.x.findIndex((x) => axis.place(each, x) >= at - 1e-6);
      if (i < 0) continue;
      const name = nameOf(each.model), text = name ? (kind === "validation" ? "val." : name) : batch ? "each batch" : kind;
      keys.push(element("span", { class: `ct-key ct-${kind}`, style: `--key: var(--ct-${inkOf(run, each)})` }, element("i"), text, batch ? "" : element("b", {}, show(points.y[i]))));
    }
    const order = ends();
    if (at !== null) keys.push(element("small", {}, `at epoch ${order.indexOf(at) + (state.firstEpoch || 1)}`));
    panel.keys.replaceChildren(...keys);
    panel.canvas.setAttribute("aria-label", `${words(panel.name)} against epoch: ${keys.map((key) => key.textContent.trim()).join(", ")}. Arrow keys read out single epochs.`);
  }

  let spoken = 0;
  function update() {
    const state = run.state;
    const names = [...new Set(own().map((each) => quantity(each.name)))];
    names.sort((a, b) => (b === "loss") - (a === "loss"));
    for (const name of names.length ? names : ["loss"]) panelOf(name);
    const parts = [], over = state.outcome && state.outcome !== "running";
    if (state.epoch) {
      parts.push(element("span", {}, "epoch ", element("b", {}, String(state.epochs ? Math.min(state.epoch, state.epochs) : state.epoch)), state.epochs ? ` of ${state.epochs}` : ""));
      if (over) parts.push(element("span", {}, state.outcome));
      else if (state.paused) parts.push(element("span", {}, element("b", {}, "paused")));
      else if (state.phase === "validation") parts.push(element("span", {}, "validating"));
      if (state.samplesPerSecond && !state.paused) parts.push(element("span", {}, element("b", {}, Number(state.samplesPerSecond.toPrecision(2)).toLocaleString("en").replaceAll(",", " ")), " samples/s"));
      if (!over && !state.paused && state.secondsLeft !== null && state.secondsLeft !== undefined) parts.push(element("span", {}, element("b", {}, duration(state.secondsLeft)), " left"));
    }
    facts.replaceChildren(...parts);
    if (state.epochs) {
      const done = Math.min(1, (state.epoch - 1 + (state.steps ? Math.min(1, state.batch / state.steps) : 0)) / state.epochs);
      bar.style.width = `${100 * done}%`;
      progress.setAttribute("aria-valuenow", Math.round(100 * done));
    }
    progress.hidden = !state.epochs;
    behind.hidden = !(state.earlier || []).length;
    earlier.options[1].disabled = (state.earlier || []).length < 2;
    const findings = modelsOf(run).filter((each) => each.finding).map((each) => (each.name ? `${each.name}: ` : "") + each.finding.words);
    finding.hidden = !findings.length;
    // Written only when it changes: a screen reader says every writing.
    if (finding.textContent !== findings.join("\n")) finding.textContent = findings.join("\n");
    if (setup.controls) {
      pause.textContent = state.paused ? "Continue" : "Pause";
      for (const control of [pause, step, stop, rate, look]) control.disabled = Boolean(over);
      if (start && document.activeElement !== rate && state.learningRate) {
        rate.value = Math.log10(state.learningRate / start);
        showRate(state.learningRate);
      }
    }
    // A screen reader gets a sentence every five seconds, not a torrent.
    if (state.summary && state.summary !== summary.textContent && (over || performance.now() - spoken > 5000)) {
      summary.textContent = state.summary;
      spoken = performance.now();
    }
    for (const panel of panels.values()) { caption(panel); draw(panel, run, options); }
    fillLayers();
    if (values.open) fillTable();
    root.dataset.points = own().reduce((sum, each) => sum + each.points.length, 0);
    root.dataset.epoch = state.epoch || 0;
    root.dataset.batches = Math.max(0, ...own().filter((each) => each.name === BATCH).map((each) => each.points.x.at(-1) ?? 0));
    root.dataset.outcome = state.outcome || "";
    root.dataset.layers = modelsOf(run).reduce((sum, each) => sum + (each.layers || []).length, 0);
  }

  const headOf = (texts) => element("tr", {}, ...texts.map((text) => element("th", { scope: "col" }, text)));
  let filled = "";
  function fillLayers() {
    const found = modelsOf(run).filter((each) => each.layers), text = JSON.stringify(found.map((each) => each.layers));
    layers.hidden = !found.length;
    if (text === filled) return;
    filled = text;
    const rows = found.flatMap((each) => each.layers.map((layer) => element("tr", {}, ...LAYERS.map(([, cell], column) =>
      element(column ? "td" : "th", { class: unusual(layer, column) ? "ct-unusual" : null, scope: column ? null : "row" },
        (column || !each.name ? "" : `${each.name}: `) + cell(layer) + (unusual(layer, column) ? " !" : ""))))));
    const odd = found.some((each) => each.layers.some((layer) => unusual(layer, 3) || unusual(layer, 4)));
    layers.replaceChildren(element("table", {}, headOf(LAYERS.map(([title]) => title)), ...rows),
      odd ? element("p", {}, "! worth a look: half of the units are dead, or a batch moves the weights by ten times more or less than the usual thousandth.") : "");
  }

  function fillTable() {
    const curves = epochwise(), axis = unit(run), at = ends();
    const head = headOf(["epoch", ...curves.map((each) => [nameOf(each.model), words(each.name)].filter(Boolean).join(", "))]);
    const rows = at.map((end, i) => element("tr", {}, element("td", {}, String(i + (run.state.firstEpoch || 1))), ...curves.map((each) => {
      const k = each.points.x.findIndex((x) => Math.abs(axis.place(each, x) - end) < 1e-6);
      return element("td", {}, k < 0 ? "" : show(each.points.y[k]));
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
