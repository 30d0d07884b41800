// ---- the model: pure functions, twins of those in banded_matrix.py ----

function freeParameters({ length, kernel_size, padding }) {
  const inputs = length + 2 * padding, outputs = inputs - kernel_size + 1;
  return [kernel_size, outputs * kernel_size, outputs * inputs];
}

function filterWeights(name, size) {
  return Array.from({ length: size }, (_, point) => {
    if (name === "average" || size === 1) return 1 / size;
    return name === "difference" ? (2 * point) / (size - 1) - 1 : 1 - point / size;
  });
}

function weightMatrix({ stage, filter, length, kernel_size, padding }) {
  const inputs = length + 2 * padding, shared = filterWeights(filter, kernel_size);
  return Array.from({ length: inputs - kernel_size + 1 }, (_, row) => Array.from({ length: inputs }, (_, column) => {
    const point = column - row;
    if (point < 0 || point >= kernel_size) return stage === "dense" ? 0.5 * Math.sin(1.9 * row + 2.9 * column + 1) : 0;
    return shared[point] + (stage === "convolution" ? 0 : 0.7 * Math.sin(2.6 * row + 1.7 * column + 0.5));
  }));
}

function paddedTrace({ length, padding, pulse }) {
  return Array.from({ length: length + 2 * padding }, (_, place) =>
    (place < length + padding && COURSE.pulse[place - padding - pulse]) || 0);
}

const dot = (weights, trace) => weights.reduce((sum, weight, place) => sum + weight * trace[place], 0);

function shiftError(matrix, trace) {
  const seen = trace.slice(0, -1);
  return Math.max(0, ...matrix.slice(1).map((weights, row) =>
    Math.abs(dot(weights.slice(1), seen) - dot(matrix[row].slice(0, -1), seen))));
}

function matrixReconcile(state) {
  const inputs = state.length + 2 * state.padding;
  const kernel_size = Math.min(state.kernel_size, inputs);
  return { ...state, kernel_size, pulse: Math.min(state.pulse, state.length - 1), row: Math.min(state.row, inputs - kernel_size) };
}

const name = (row) => "y" + String(row + 1).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const moved = (error) => (error < 1e-9 ? "moves the output unchanged" : `changes the output by up to ${show(error)}`);

function matrixSummary(state) {
  const counts = freeParameters(state), matrix = weightMatrix(state), trace = paddedTrace(state);
  const stage = state.stage[0].toUpperCase() + state.stage.slice(1);
  return `${stage}: ${counts[COURSE.stages.indexOf(state.stage)]} free numbers in the ${matrix.length} x ${trace.length} matrix ` +
    `(convolution ${counts[0]}, locally connected ${counts[1]}, dense ${counts[2]}); ` +
    `output ${state.row + 1} is ${show(dot(matrix[state.row], trace))}; ` +
    `moving the pulse by one step ${moved(shiftError(matrix, trace))}.`;
}

// ---- the view ----

// Trace, matrix and output in one picture: every weight stands under the sample that it multiplies.
function matrixPicture(view) {
  const canvas = element("canvas", { role: "img" }), pen = canvas.getContext("2d");
  const left = 78, barsHigh = 92;
  let side = 40, top = 0, rows = 1;
  canvas.addEventListener("pointermove", (event) => {
    const row = Math.floor((event.clientY - canvas.getBoundingClientRect().top - top) / side);
    if (row >= 0 && row < rows && row !== view.state.row) view.set({ row });
  });

  function paint(state, matrix, trace, output) {
    const columns = trace.length, theme = view.theme, scale = devicePixelRatio || 1;
    rows = matrix.length;
    const room = canvas.closest(".ce-stage").clientWidth - left - 20;
    side = Math.max(17, Math.floor(Math.min(44, room / (columns + 6), 500 / rows)));
    top = barsHigh + side + 26;
    const outputAt = left + columns * side + Math.round(side * 0.9), barsAt = outputAt + side + 6, barsWide = Math.round(side * 3.2);
    const wide = barsAt + barsWide + 4, high = top + rows * side + 26;
    if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(high * scale)) {
      [canvas.width, canvas.height] = [Math.round(wide * scale), Math.round(high * scale)];
      canvas.style.width = wide + "px";
      canvas.style.height = high + "px";
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.textBaseline = "middle";
    const label = (text, x, y, align = "center", colour = theme.muted, size = 12) => {
      pen.font = `${size}px system-ui, sans-serif`;
      pen.textAlign = align;
      pen.fillStyle = colour;
      pen.fillText(text, x, y);
    };
    const cell = (x, y, value, painted, faint) => {
      pen.fillStyle = painted.fill || theme.empty;
      pen.fillRect(x, y, side - 1, side - 1);
      const text = show(value);
      if (side > 22 || text.length < 3) label(text, x + side / 2, y + side / 2 + 1, "center", faint ? theme.muted : painted.ink || theme.ink, side * (text.length > 4 ? 0.28 : text.length > 2 ? 0.33 : 0.4));
    };
    const outline = (x, y, w, h) => {
      for (const [line, colour] of [[5, "rgba(20,24,34,.75)"], [3, COURSE.palette.highlight]]) {
        pen.lineWidth = line;
        pen.strokeStyle = colour;
        pen.strokeRect(x, y, w - 1, h - 1);
      }
    };
    const [row] = view.glide("row", [state.row]);
    const dense = state.stage === "dense", first = dense ? 0 : row, seen = dense ? columns : state.kernel_size;

    // The trace: bars, and the same numbers in cells above the columns that they meet.
    const base = barsHigh - 4, unit = (barsHigh - 22) / COURSE.pulse[0];
    pen.fillStyle = COURSE.palette.highlight + "38";
    pen.fillRect(left + first * side, 10, seen * side - 1, base - 10);
    trace.forEach((value, place) => {
      const x = left + place * side, pad = place < state.padding || place >= columns - state.padding;
      if (value) {
        pen.fillStyle = COURSE.palette.training;
        pen.fillRect(x + side * 0.2, base - value * unit, side * 0.6 - 1, value * unit);
      }
      cell(x, barsHigh, value, { fill: pad ? "transparent" : "" }, pad);
      if (pad) {
        pen.strokeStyle = theme.line;
        pen.lineWidth = 1;
        pen.setLineDash([3, 3]);
        pen.strokeRect(x + 1, barsHigh + 1, side - 3, side - 3);
        pen.setLineDash([]);
      }
      label(pad ? (side > 26 ? "pad" : "·") : place - state.padding + 1, x + side / 2, barsHigh + side + 10, "center", theme.muted, 11);
    });
    pen.fillStyle = theme.line;
    pen.fillRect(left, base, columns * side - 1, 1);
    label("amplitude", left - 8, barsHigh / 2 - 6, "right");
    label("trace", left - 8, barsHigh + side / 2, "right", theme.ink);
    label("time step", left - 8, barsHigh + side + 10, "right", theme.muted, 11);

    // The matrix and what it makes of the trace.
    const colour = diverging(1.6), reach = Math.max(1, ...output.map(Math.abs));
    const zero = barsAt + barsWide / 2;
    matrix.forEach((weights, at) => {
      const y = top + at * side;
      weights.forEach((weight, place) => {
        const off = !dense && (place < at || place >= at + state.kernel_size);
        cell(left + place * side, y, weight, off ? plain() : colour(weight), off);
      });
      label(name(at), left - 8, y + side / 2, "right", at === state.row ? theme.ink : theme.muted);
      cell(outputAt, y, output[at], diverging(reach)(output[at]));
      pen.fillStyle = output[at] < 0 ? COURSE.palette.negative : COURSE.palette.positive;
      const length = (output[at] / reach) * (barsWide / 2 - 2);
      pen.fillRect(Math.min(zero, zero + length), y + side * 0.22, Math.abs(length), side * 0.56);
    });
    pen.fillStyle = theme.line;
    pen.fillRect(zero, top, 1, rows * side);
    label("=", left + columns * side + side * 0.42, top + (rows * side) / 2, "center", theme.muted, 20);
    label("output", outputAt + side / 2, top - 13, "center", theme.ink);
    label("0", zero, top - 13, "center", theme.muted, 11);
    label(`weights, ${rows} outputs × ${columns} inputs`, left + (columns * side) / 2, high - 10);
    outline(left + first * side, barsHigh, seen * side, side);
    outline(left + first * side, top + row * side, seen * side, side);
    outline(outputAt, top + row * side, side, side);
    const spoken = `${rows} times ${columns} matrix; output ${state.row + 1} is ${show(output[state.row])}; outputs ${output.map(show).join(", ")}`;
    if (canvas.getAttribute("aria-label") !== spoken) canvas.setAttribute("aria-label", spoken);
  }
  return { panel: element("figure", { class: "ce-panel" }, canvas), paint };
}

export { filterWeights, freeParameters, matrixReconcile, matrixSummary, paddedTrace, shiftError, weightMatrix };
export default explorable({
  reconcile: matrixReconcile,
  summary: matrixSummary,
  predict: {
    question: (opening) => {
      const inputs = opening.length + 2 * opening.padding;
      return `A filter of ${opening.kernel_size} slides over a trace of ${opening.length} steps with ${opening.padding} zero(s) on each side. ` +
        `Written as a dense layer that is a ${inputs - opening.kernel_size + 1} × ${inputs} matrix. How many of its numbers are free?`;
    },
    reveal(guess, opening) {
      const [tied, local, dense] = freeParameters(opening);
      return `${guess === tied ? "Right. " : ""}${dense} entries, ${local} of them in the band, but every row repeats the same ${tied}: ${tied} free numbers.`;
    },
  },
  build(view) {
    const picture = matrixPicture(view), formula = view.formula();
    const chips = ["convolution", "locally connected", "dense"].map((label) => view.chip(label));
    const shifted = view.chip("pulse one step later"), challenge = view.chip(`dense = ${COURSE.target}?`);
    view.stage(picture.panel);
    view.note(formula.node, view.veil(element("div", { class: "ce-row ce-middle" }, chips.map((chip) => chip.node))), shifted.node, challenge.node);
    const next = { convolution: "Untie weights ▸", "locally connected": "Fill the band ▸", dense: "Empty and tie again" };
    const step = view.button("", () => view.set({ stage: COURSE.stages[(COURSE.stages.indexOf(view.state.stage) + 1) % 3] }));
    step.className = "ce-main";
    view.controls(
      view.segments({ field: "stage", label: "weights", options: [["convolution", "tied"], ["locally connected", "untied"], ["dense", "everywhere"]] }),
      step,
      view.slider({ field: "row", label: "output looked at", max: (state) => state.length + 2 * state.padding - state.kernel_size, write: name }),
      view.slider({ field: "pulse", label: "pulse begins at time step", max: (state) => state.length - 1, write: (value) => value + 1 }),
      view.slider({ field: "length", label: "trace length", min: 3, max: 12, unit: "steps" }),
      view.slider({ field: "kernel_size", label: "filter length k", min: 1, max: (state) => Math.min(7, state.length + 2 * state.padding) }),
      view.slider({ field: "padding", label: "padding on each side", max: 3 }),
      view.choice({ field: "filter", label: "filter", options: ["difference", "average", "pulse shape"].map((name) => [name, name]) }),
      view.resetButton());
    view.draw((state) => {
      const matrix = weightMatrix(state), trace = paddedTrace(state), output = matrix.map((weights) => dot(weights, trace));
      picture.paint(state, matrix, trace, output);
      const terms = matrix[state.row].flatMap((weight, place) => {
        const inside = state.stage === "dense" || (place >= state.row && place < state.row + state.kernel_size);
        return inside && (trace[place] || state.stage !== "dense") ? [`${weight < 0 ? `(${show(weight)})` : show(weight)} · ${show(trace[place])}`] : [];
      });
      formula.write(element("span", {}, `${name(state.row)} = ${terms.join(" + ") || "0"} = `), element("b", {}, show(output[state.row])));
      const counts = freeParameters(state), now = COURSE.stages.indexOf(state.stage);
      const details = ["one filter for all rows", "one filter a row", "every input, every output"];
      chips.forEach((chip, index) => {
        chip.write(`${counts[index]} free`, details[index]);
        chip.node.style.boxShadow = index === now ? `inset 0 0 0 2px ${COURSE.palette.highlight}` : "";
      });
      const error = shiftError(matrix, trace);
      shifted.write(error < 1e-9 ? "same output" : "other output", error < 1e-9 ? "moved along by one step" : `differs by up to ${show(error)}`);
      challenge.write(counts[2] === COURSE.target ? "✓ solved" : "not yet", `${state.length} steps, dense ${view.pending() ? "?" : counts[2]}`);
      step.textContent = next[state.stage];
    });
  },
});
