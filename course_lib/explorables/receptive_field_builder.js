// ---- the model: pure functions, twins of those in receptive_field_builder.py ----

const layer = (kind, kernel_size, stride = 1, dilation = 1) => ({ kind, kernel_size, stride, dilation });

function fieldGrowth(layers) {
  let width = 1, distance = 1;
  return layers.map(({ kernel_size, stride, dilation }) => {
    width += (kernel_size - 1) * dilation * distance;
    distance *= stride;
    return width;
  });
}

function mapSizes(layers) {
  const sizes = [COURSE.input];
  for (const { stride } of layers) sizes.push(Math.ceil(sizes.at(-1) / stride));
  return sizes;
}

function leftPadding({ kernel_size, stride, dilation }, size) {
  return Math.floor(Math.max((Math.ceil(size / stride) - 1) * stride + dilation * (kernel_size - 1) + 1 - size, 0) / 2);
}

// The pyramid rule: as the maps shrink, the convolutions get more channels.
function mapChannels(layers) {
  let channels = COURSE.inputChannels, step = 1;
  return [channels, ...layers.map(({ kind, stride }) => {
    step *= stride;
    return (channels = kind === "pooling" ? channels : COURSE.firstChannels * step);
  })];
}

// Input pixels from one output pixel to the next.
const outputStep = (layers) => layers.reduce((step, { stride }) => step * stride, 1);

// Positions along one axis, in the input first, of the output pixel that lies over an input pixel.
function footprints(layers, position) {
  const sizes = mapSizes(layers), seen = [[Math.floor(position / outputStep(layers))]];
  for (let at = layers.length - 1; at >= 0; at--) {
    const { kernel_size, stride, dilation } = layers[at], reached = new Set(), start = -leftPadding(layers[at], sizes[at]);
    for (const index of seen[0]) for (let point = 0; point < kernel_size; point++) reached.add(start + stride * index + dilation * point);
    seen.unshift([...Array(sizes[at]).keys()].filter((index) => reached.has(index)));
  }
  return seen;
}

function effectiveWidth(layers) {
  let variance = 1 / 12, distance = 1;
  for (const { kernel_size, stride, dilation } of layers) {
    variance += ((kernel_size ** 2 - 1) / 12) * (dilation * distance) ** 2;
    distance *= stride;
  }
  return 2 * Math.sqrt(2 * Math.LN2) * Math.sqrt(variance);
}

// Park and Miller's generator (exact in floating point), scaled to -1 ... 1.
function randomWeights(seed) {
  let state = ((seed + 1) * 1000003) % 2147483647;
  return () => (state = (state * 16807) % 2147483647) / 2 ** 30 - 1;
}

// Mean squared gradient of one output pixel of a linear stack, rows of numbers, the largest is 1.
function effectiveField({ layers, row, column, networks, seed }) {
  const ys = footprints(layers, row), xs = footprints(layers, column), sizes = mapSizes(layers), draw = randomWeights(seed), whole = COURSE.input;
  const total = new Float64Array(whole ** 2);
  for (let network = 0; network < networks; network++) {
    // Only the pixels of the footprints are read, so this sets the one output pixel.
    let gradient = new Float64Array(sizes.at(-1) ** 2).fill(1);
    for (let at = layers.length - 1; at >= 0; at--) {
      const { kind, kernel_size, stride, dilation } = layers[at], size = sizes[at], start = -leftPadding(layers[at], size);
      const earlier = new Float64Array(size ** 2), kernel = Array.from({ length: kernel_size ** 2 }, () => (kind === "pooling" ? 1 : draw()));
      for (const i of ys[at + 1]) for (const j of xs[at + 1]) {
        const slope = gradient[i * sizes[at + 1] + j];
        for (let point = 0, y = start + stride * i; point < kernel.length; y += dilation) {
          for (let k = 0, x = start + stride * j; k < kernel_size; k++, point++, x += dilation) {
            if (y >= 0 && y < size && x >= 0 && x < size) earlier[y * size + x] += slope * kernel[point];
          }
        }
      }
      gradient = earlier;
    }
    for (let index = 0; index < total.length; index++) total[index] += gradient[index] ** 2;
  }
  const largest = Math.max(...total), shares = Array.from(total, (value) => value / largest);
  return Array.from({ length: whole }, (_, at) => shares.slice(at * whole, (at + 1) * whole));
}

const fieldReconcile = (state) => ({ ...state, lit: Math.min(state.lit, state.layers.length) });
const solved = (layers) => fieldGrowth(layers).at(-1) === COURSE.target[0] && !layers[COURSE.target[1]];

function fieldSummary({ layers }) {
  const field = fieldGrowth(layers).at(-1), size = mapSizes(layers).at(-1);
  return `${layers.length} layer${layers.length > 1 ? "s" : ""}: an output pixel sees ${field} x ${field} input pixels, ` +
    `of which the central ${show(effectiveWidth(layers))} count most; the output map has ${size} x ${size} pixels${solved(layers) ? "; challenge solved" : ""}.`;
}

// ---- the view ----

// One row of pixels through every map, the output on top; right of it the channels, below it the influence.
function cone(view) {
  const canvas = element("canvas", { role: "img" }), pen = canvas.getContext("2d"), step = 46, left = 88, bell = 58;
  return { canvas, paint({ layers, lit, column }, field) {
    const depth = layers.length, theme = view.theme, gold = COURSE.palette.highlight, sizes = mapSizes(layers), channels = mapChannels(layers);
    const scale = devicePixelRatio || 1, wide = Math.max(300, Math.min(584, canvas.closest(".ce-stage").clientWidth)), high = depth * step + bell + 76;
    [canvas.width, canvas.height] = [wide * scale, high * scale];
    canvas.style.width = wide + "px";
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.textBaseline = "middle";
    const label = (text, x, y, colour = theme.muted, align = "right", size = 11) => {
      pen.font = size + "px system-ui, sans-serif";
      [pen.fillStyle, pen.textAlign] = [colour, align];
      pen.fillText(text, x, y);
    };
    const box = (x, y, w, h, colour) => { pen.fillStyle = colour; pen.fillRect(x, y, w, h); };
    const unit = (wide - left - 140) / COURSE.input, seen = footprints(layers, column);
    const steps = layers.map((_, at) => outputStep(layers.slice(0, at + 1)));
    const broad = (map) => unit * (steps[map - 1] || 1), x = (map, index) => left + broad(map) * index, y = (map) => 36 + (depth - map) * step;
    label("side² × channels", wide - 2, 10);
    for (let map = depth; map >= 0; map--) {
      const lighted = depth - map <= lit ? seen[map] : [], above = seen[map + 1];
      if (above && lighted.length) {
        pen.fillStyle = gold + "30";
        pen.beginPath();
        const corner = (at, index) => pen.lineTo(x(at, index), y(at) + (at > map ? 9 : -9));
        corner(map + 1, above[0]);
        corner(map + 1, above.at(-1) + 1);
        corner(map, lighted.at(-1) + 1);
        corner(map, lighted[0]);
        pen.fill();
      }
      for (let index = 0; index < sizes[map]; index++) box(x(map, index) + 0.5, y(map) - 9, broad(map) - 1, 18, lighted.includes(index) ? gold : theme.line);
      label(map ? (map < depth ? `layer ${map}` : "output") : "input", left - 10, y(map) - 8, theme.ink, "right", 12);
      label(`${lighted.length || "?"} of ${sizes[map]} px`, left - 10, y(map) + 8);
      // The pyramid rule: what the maps lose in width comes back as channels.
      const bar = 14 * Math.log2(channels[map] + 1);
      box(wide - 2 - bar, y(map) - 12, bar, 10, map ? COURSE.palette.training : COURSE.palette.background);
      label(`${sizes[map]}² × ${channels[map]} = ${sizes[map] ** 2 * channels[map]}`, wide - 2, y(map) + 8);
    }
    const base = y(0) + 18 + bell;
    if (lit === depth) {
      const profile = field[0].map((_, at) => field.reduce((sum, line) => sum + line[at], 0)), most = Math.max(...profile);
      profile.forEach((value, at) => box(left + unit * at + 0.5, base, unit - 1, (-bell * value) / most, COURSE.palette.signal));
      label("influence", left - 10, base - bell / 2);
    }
    box(left, base, unit * COURSE.input, 1, theme.line);
    label("column of the input (pixels)", left + (unit * COURSE.input) / 2, base + 13, theme.muted, "center");
    canvas.setAttribute("aria-label", `pixels seen: ${seen.map((line) => line.length)}`);
  } };
}

// Small menus, a row for each layer; they stay the same nodes so that the keyboard keeps its place.
function stackEditor(view, change) {
  const [most, ...limits] = COURSE.maximum, names = ["kernel_size", "stride", "dilation"];
  const rows = Array.from({ length: most }, (_, at) => {
    const edit = (name, value) => change(view.state.layers.map((old, index) =>
      index !== at ? old : old.kind === "pooling" ? layer("pooling", value, value) : { ...old, [name]: value }));
    const lists = names.map((name, field) => element("select",
      { "aria-label": `layer ${at + 1}, ${name.replace("_", " ")}`, style: "padding: 2px", onchange: () => edit(name, lists[field].selectedIndex + 1) },
      Array.from({ length: limits[field] }, (_, index) => element("option", {}, `${"ksd"[field]} = ${index + 1}`))));
    const formula = element("small", { style: "flex: 1 1 100%; color: var(--ce-muted)" });
    const remove = () => change(view.state.layers.filter((_, index) => index !== at));
    const drop = element("button", { type: "button", class: "ce-quiet", "aria-label": `remove layer ${at + 1}`, onclick: remove }, "✕");
    return { node: element("div", { class: "ce-row", style: "gap: 2px 6px" }, formula, lists, drop), lists, formula, drop };
  });
  const add = [["convolution", 3], ["pooling", 2, 2]].map((given) => view.button("+ " + given[0], () => change([...view.state.layers, layer(...given)])));
  return {
    node: element("div", { style: "display: grid; gap: 7px; width: 300px" }, "kernel k, stride s, dilation d", rows.map((row) => row.node), element("div", { class: "ce-row" }, add)),
    paint({ layers }) {
      const growth = [1, ...fieldGrowth(layers)];
      let distance = 1;
      rows.forEach(({ node, lists, formula, drop }, at) => {
        const entry = layers[at];
        node.hidden = !entry;
        if (!entry) return;
        lists.forEach((list, field) => {
          list.selectedIndex = entry[names[field]] - 1;
          list.hidden = field !== 1 && entry.kind === "pooling";
        });
        drop.disabled = layers.length === 1;
        formula.textContent = `${at + 1} ${entry.kind}` + (view.pending() ? "" : `: R = ${growth[at]} + (${entry.kernel_size} − 1) · ${entry.dilation} · ${distance} = ${growth[at + 1]} px`);
        distance *= entry.stride;
      });
      for (const button of add) button.disabled = layers.length === most;
    },
  };
}

export { effectiveField, effectiveWidth, fieldGrowth, fieldReconcile, fieldSummary, footprints, mapChannels, mapSizes };
export default explorable({
  reconcile: fieldReconcile,
  summary: fieldSummary,
  predict: {
    question: "Three 3 × 3 layers see 7 × 7 pixels. A 2 × 2 pooling joins after the first: how wide is the view now?",
    options: ["8 px", "9 px", "12 px", "14 px"],
    reveal: (guess) => `${guess === "12 px" ? "Right: " : ""}1 → 3 → 4 → 8 → 12 px. Behind the pooling a step is two input pixels. Try the preset.`,
  },
  build(view) {
    const all = COURSE.maximum[0], steps = view.player({ field: "lit", max: (state) => state.layers.length });
    let key = "", field;
    const change = (layers) => view.set({ layers, lit: all });
    const editor = stackEditor(view, change), picture = cone(view);
    const input = view.grid({ label: "", cell: 9, largest: 288 });
    const output = view.grid({
      label: "", cell: 44, largest: 288,
      // A new pixel lights its footprint up layer by layer.
      pick(row, column) {
        const { layers, lit } = view.state, step = outputStep(layers);
        view.set({ row: row * step, column: column * step });
        if (lit === layers.length) steps.querySelector(".ce-main").click();
      },
    });
    const chips = ["receptive field", "effective width", `challenge: ${COURSE.target[0]} px, ≤ ${COURSE.target[1]} layers`].map((label) => view.chip(label));
    const hide = (...nodes) => view.veil(element("div", { class: "ce-column" }, nodes));
    view.stage(editor.node, hide(picture.canvas), hide(output.panel), hide(input.panel), hide(...chips.map((chip) => chip.node)));
    const stack = (text) => text.split(" ").map((size) => (size === "pool" ? layer("pooling", 2, 2) : layer("convolution", Number(size))));
    view.controls(
      steps,
      view.choice({ label: "preset", options: [["", "choose …"], ...COURSE.presets], current: () => "", apply: (text) => text && { layers: stack(text), lit: all } }),
      ...["row", "column"].map((name) => view.slider({ field: name, label: `output over ${name}`, max: COURSE.input - 1, write: (value) => value + 1 })),
      view.slider({ field: "networks", label: "networks averaged", min: 1, max: 20 }),
      view.resetButton());
    view.draw((state) => {
      const { layers, row, column, networks, seed, lit } = state, done = lit === layers.length, step = outputStep(layers);
      const now = JSON.stringify([layers, row, column, networks, seed]);
      if (now !== key) [key, field] = [now, effectiveField(state)];
      editor.paint(state);
      picture.paint(state, field);
      const size = mapSizes(layers).at(-1), width = fieldGrowth(layers).at(-1), effective = effectiveWidth(layers);
      output.paint({
        values: Array.from({ length: size }, () => Array(size).fill(0)), title: `output map, ${size} × ${size}: click a pixel`,
        boxes: [{ row: Math.floor(row / step), col: Math.floor(column / step) }],
        colour: (_, i, j) => ({ fill: (i + j) % 2 && size > 11 ? view.theme.surface : view.theme.empty }),
      });
      const [ys, xs] = [row, column].map((position) => footprints(layers, position)[0]);
      input.paint({
        values: done ? field : field.map((line) => line.map(() => null)), colour: intensity(0, 1), title: "influence of the input (bright: strong)",
        boxes: done ? [{ row: ys[0], col: xs[0], rows: ys.at(-1) - ys[0] + 1, cols: xs.at(-1) - xs[0] + 1 }] : [],
      });
      chips[0].write(`${width} px`, "frame in the picture");
      chips[1].write(`${show(effective)} px`, `half maximum, ${Math.round((100 * effective) / width)} % of it`);
      chips[2].write(solved(layers) ? "✓ solved" : "not yet");
    });
  },
});
