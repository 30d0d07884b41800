// ---- the model: pure functions, twins of those in convolution_operations.py ----

const outputSize = ({ size, kernel_size: k, padding, stride, dilation }) =>
  Math.floor((size + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;

// How often each row (or column) of the padded image is read.
function touchesAlong(state) {
  const counts = new Array(state.size + 2 * state.padding).fill(0);
  for (let step = 0; step < outputSize(state); step++) {
    for (let point = 0; point < state.kernel_size; point++) counts[step * state.stride + point * state.dilation] += 1;
  }
  return counts;
}

function touchCounts(state) {
  const along = touchesAlong(state);
  return along.map((rows) => along.map((cols) => rows * cols));
}

const droppedLines = (state) =>
  state.size + 2 * state.padding - (state.stride * (outputSize(state) - 1) + state.dilation * (state.kernel_size - 1) + 1);

const shifted = (image, by) => image.map((row) => row.map((_, col) => row[(col - by + 4) % 4]));

// kind: "max", "average", or "stride" (the first pixel of each patch).
function pool(image, side, kind) {
  const starts = Array.from({ length: 4 / side }, (_, index) => index * side);
  return starts.map((top) => starts.map((left) => {
    const patch = image.slice(top, top + side).flatMap((row) => row.slice(left, left + side));
    if (kind === "stride") return patch[0];
    return kind === "max" ? Math.max(...patch) : patch.reduce((sum, value) => sum + value, 0) / patch.length;
  }));
}

function changes({ image, pool_size: side, shift }) {
  const change = (kind) => {
    const before = pool(image, side, kind).flat(), after = pool(shifted(image, shift), side, kind).flat();
    return after.reduce((sum, value, index) => sum + Math.abs(value - before[index]), 0) / after.length;
  };
  return { max: change("max"), average: change("average"), stride: change("stride") };
}

function reconcile(state) {
  if (state.kernel_size > 1) {
    state.dilation = Math.min(state.dilation, Math.floor((state.size + 2 * state.padding - 1) / (state.kernel_size - 1)));
  }
  state.position = Math.min(state.position, outputSize(state) ** 2 - 1);
  return state;
}

function operationsSummary(state) {
  if (state.mode === "pooling") {
    const side = state.pool_size, change = changes(state);
    const values = pool(shifted(state.image, state.shift), side, state.pooling).flat().map(show).join(", ");
    return `${state.pooling === "max" ? "Max" : "Average"} pooling over ${side} × ${side} patches gives ${values}; a shift by `
      + `${state.shift} px changes max pooling by ${show(change.max)}, average pooling by ${show(change.average)} `
      + `and every ${side === 2 ? "second" : "fourth"} pixel alone by ${show(change.stride)} per number.`;
  }
  const { size, kernel_size: k, padding, stride, dilation } = state, out = outputSize(state);
  return `A ${k} × ${k} filter with padding ${padding}, stride ${stride} and dilation ${dilation} (holes: ${dilation - 1}) `
    + `turns ${size} × ${size} pixels into ${out} × ${out}; rounding down leaves an edge of ${droppedLines(state)} px unread.`;
}

// ---- the view ----

const square = (side) => `${side} × ${side}`;
const kinds = { max: "max pooling", average: "average pooling", stride: "every second pixel" };
const leastChanged = (state) => {
  const change = changes({ ...state, shift: state.shift || 1 });
  return Object.keys(kinds).reduce((best, kind) => (change[kind] < change[best] ? kind : best));
};

export { changes, droppedLines, outputSize, pool, shifted, touchCounts };
export default explorable({
  reconcile,
  summary: operationsSummary,
  predict: {
    question: (opening) => (opening.mode === "pooling"
      ? "The picture moves one pixel to the right. Which result changes least?"
      : `${square(opening.size)} pixels, ${square(opening.kernel_size)} filter, stride ${opening.stride}, padding ${opening.padding}, dilation ${opening.dilation}. How large is the output?`),
    options: (opening) => {
      if (opening.mode === "pooling") return Object.values(kinds);
      const out = outputSize(opening), { size, kernel_size: k, stride } = opening;
      return [...new Set([size, size - k + 1, Math.ceil(size / stride), out, out + 2])].sort((a, b) => a - b).map(square);
    },
    reveal(guess, opening) {
      const pooling = opening.mode === "pooling", change = changes({ ...opening, shift: opening.shift || 1 });
      const right = pooling ? kinds[leastChanged(opening)] : square(outputSize(opening));
      const because = pooling
        ? `: mean change ${Object.keys(kinds).map((kind) => `${show(change[kind])} (${kinds[kind]})`).join(", ")}.`
        : ": the last position must still fit, so the division is rounded down. Change n by one and watch the edge.";
      return (guess === right ? "Right, " : "It is ") + right + because;
    },
  },
  build(view) {
    const sign = (text) => element("span", { class: "ce-sign", "aria-hidden": "true" }, text);
    const side = () => outputSize(view.state);

    // Page 1: padding, stride, dilation.
    const image = view.grid({
      label: "image", cell: 34, largest: 360,
      pick(row, col) {
        const { stride, kernel_size: k, dilation } = view.state, middle = (dilation * (k - 1)) / 2;
        const clip = (at) => Math.max(0, Math.min(side() - 1, Math.round((at - middle) / stride)));
        view.set({ position: clip(row) * side() + clip(col) });
      },
    });
    const output = view.grid({ label: "output", cell: 34, largest: 300, pick: (row, col) => view.set({ position: row * side() + col }) });
    const formula = view.formula();
    const reach = view.chip("filter reaches over"), unread = view.chip("never read"), code = view.chip("in Keras");
    const first = [
      element("div", { class: "ce-row ce-middle ce-chain" }, image.panel, sign("→"), view.veil(element("div", { class: "ce-output" }, output.panel)),
        element("div", { class: "ce-column" }, reach.node, view.veil(element("div", { class: "ce-column" }, unread.node)), code.node)),
      view.veil(element("div", { class: "ce-chain" }, formula.node)),
    ];
    const count = (field, label, min, max, more) => view.slider({ field, label, min, max, ...more });
    const book = (state) => state.convention === "book";
    const firstControls = [
      view.player({ field: "position", max: () => side() ** 2 - 1 }),
      count("size", "image size n", 5, 12), count("kernel_size", "kernel size k", 1, 5), count("padding", "padding p", 0, 3),
      count("stride", "stride s", 1, 4),
      count("dilation", "dilation", 1, 3, {
        write: (value, state) => (book(state) ? `${value - 1} ${value === 2 ? "hole" : "holes"}` : `d = ${value}`),
        off: (state) => state.kernel_size < 2,
      }),
      view.segments({ field: "convention", label: "dilation counts", options: [["framework", "steps (frameworks)"], ["book", "holes (book)"]] }),
    ];

    // Page 2: pooling.
    const colour = diverging(9);
    const moved = view.grid({ label: "shifted picture", cell: 51 });
    const results = ["max", "stride"].map(() => view.grid({ label: "", cell: 51 }));
    const chips = Object.values(kinds).map((label) => view.chip(label));
    const second = [
      element("div", { class: "ce-row ce-middle ce-chain" },
        view.numberGrid({ field: "image", label: "picture (type in it)", rows: 4, cols: 4, colour }), sign("→"), moved.panel, sign("→"),
        view.veil(element("div", { class: "ce-row" }, results.map((result) => result.panel)))),
      element("p", { class: "ce-formula" }, "Dashed: changed by the shift. Mean change of a number:"),
      view.veil(element("div", { class: "ce-row ce-middle ce-chain" }, chips.map((chip) => chip.node))),
    ];
    const secondControls = [
      view.button("Shift by one pixel →", () => view.set({ shift: (view.state.shift + 1) % 4 })),
      view.segments({ field: "pooling", label: "pooling", options: [["max", "max"], ["average", "average"]] }),
      view.segments({ field: "pool_size", label: "patches", options: [[2, "2 × 2"], [4, "4 × 4 (global)"]] }),
    ];
    secondControls[0].classList.add("ce-main");

    view.stage(element("div", { class: "ce-chain ce-row ce-middle" },
      view.segments({ field: "mode", label: "page", options: [["convolution", "padding, stride, dilation"], ["pooling", "pooling and shifts"]] })), ...first, ...second);
    view.controls(...firstControls, ...secondControls, view.resetButton());

    function drawConvolution(state) {
      const { size, kernel_size: k, padding, stride, dilation } = state;
      const out = side(), counts = touchCounts(state), most = Math.max(...counts.flat());
      const row = Math.floor(state.position / out), col = state.position % out;
      const [top, left] = view.glide("filter", [row * stride, col * stride]);
      const inside = (at) => at >= padding && at < padding + size;
      const real = (i, j) => inside(i) && inside(j);
      const last = stride * (out - 1) + dilation * (k - 1);
      const settled = top === row * stride && left === col * stride;
      const points = [];
      for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) points.push({ row: top + i * dilation, col: left + j * dilation });
      const heat = intensity(-most * 0.15, most);
      image.paint({
        values: counts, colour: (value, i, j) => (real(i, j) ? heat(value) : plain()), boxes: points,
        write: (value, i, j) => (real(i, j) ? String(value) : "0"),
        dim: (i, j) => (i > last || j > last ? 0.45 : 1), cross: (i, j) => i > last || j > last,
        title: `image ${square(size)}${padding ? `, padding ${padding}` : ""}: how often each pixel is read`,
        describe: settled ? `up to ${most} times` : "",
      });
      output.paint({
        values: Array.from({ length: out }, (_, i) => Array.from({ length: out }, (_, j) => i * out + j)),
        colour: (value) => (value === state.position ? { fill: COURSE.palette.highlight, ink: "#1f2430" } : { fill: view.theme.empty, ink: view.theme.ink }),
        write: (value) => String(value + 1), title: `output ${square(out)}`,
      });
      const exact = (size + 2 * padding - dilation * (k - 1) - 1) / stride, rounded = !Number.isInteger(exact);
      const mark = (text) => element("mark", {}, text);
      formula.write(book(state) ? "o = ⌊(n + 2p − (holes + 1)(k − 1) − 1) / s⌋ + 1 = ⌊(" : "o = ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 = ⌊(",
        mark(`${size} + 2·${padding} − ${book(state) ? `(${dilation - 1} + 1)` : dilation}·${k - 1} − 1`), `) / ${stride}⌋ + 1 = `,
        rounded ? mark(`⌊${show(exact)}⌋`) : show(exact), " + 1 = ", element("b", {}, String(out)));
      const lost = counts.flat().filter((value, at) => !value && real(Math.floor(at / counts.length), at % counts.length)).length;
      reach.write(square(dilation * (k - 1) + 1), `${k * k} weights, holes between: ${dilation - 1}`);
      unread.write(`${lost} of ${size * size}`, droppedLines(state) ? `rounding drops an edge of ${droppedLines(state)} px` : lost ? "all in gaps" : "every pixel counts");
      code.write(`dilation_rate=${dilation}`, `strides=${stride}, kernel_size=${k}`);
    }

    function drawPooling(state) {
      const { image: original, shift, pooling, pool_size: patch } = state;
      const picture = shifted(original, shift), blocks = [];
      for (let row = 0; row < 4; row += patch) for (let col = 0; col < 4; col += patch) blocks.push({ row, col, rows: patch, cols: patch });
      moved.paint({
        values: picture, colour, write: show, boxes: blocks, title: shift ? `shifted by ${shift} px` : "not shifted yet",
        describe: picture.flat().map(show).join(", "),
      });
      [pooling, "stride"].forEach((kind, index) => {
        const values = pool(picture, patch, kind), before = pool(original, patch, kind);
        const boxes = blocks.map(({ row, col }) => ({ row: row / patch, col: col / patch, colour: COURSE.palette.negative, dash: true }))
          .filter(({ row, col }) => values[row][col] !== before[row][col]);
        results[index].paint({
          values, colour, write: show, boxes, describe: values.flat().map(show).join(", "),
          title: kind === "stride" ? `every ${patch === 2 ? "second" : "fourth"} pixel` : kinds[kind],
        });
      });
      const change = changes(state);
      Object.keys(kinds).forEach((kind, index) => chips[index].write(show(change[kind]), shift ? "" : "shift first"));
    }

    view.draw((state) => {
      const pooling = state.mode === "pooling";
      for (const node of [...first, ...firstControls]) node.hidden = pooling;
      for (const node of [...second, ...secondControls]) node.hidden = !pooling;
      (pooling ? drawPooling : drawConvolution)(state);
    });
  },
});
