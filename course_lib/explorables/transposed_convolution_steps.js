// ---- the model: pure functions, twins of those in transposed_convolution_steps.py ----

const table = (rows, columns, value) => Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => value(row, column)));

function kernelValues(name, size) {
  const tent = (place) => Math.min(place + 1, size - place);
  return table(size, size, (row, column) =>
    name === "ones" ? 1 : name === "tent" ? tent(row) * tent(column) : 1 + ((3 * row + 5 * column + row * column) % 4));
}

// Sum of the patches of the first `nPixels` pixels, row by row.
function transposed(image, kernel, stride, padding, nPixels = Infinity) {
  const columns = image[0].length, size = kernel.length;
  const output = table((image.length - 1) * stride + size - 2 * padding, (columns - 1) * stride + size - 2 * padding, () => 0);
  image.flat().slice(0, nPixels).forEach((pixel, index) => {
    const top = Math.floor(index / columns) * stride - padding, left = (index % columns) * stride - padding;
    kernel.forEach((line, row) => line.forEach((weight, column) => {
      if (output[top + row] && left + column in output[top + row]) output[top + row][left + column] += pixel * weight;
    }));
  });
  return output;
}

function checkerboardContrast(kernel, stride) {
  const sums = table(stride, stride, () => 0);
  kernel.forEach((line, row) => line.forEach((weight, column) => { sums[row % stride][column % stride] += weight; }));
  const flat = sums.flat(), mean = flat.reduce((sum, value) => sum + value, 0) / flat.length;
  return (Math.max(...flat) - Math.min(...flat)) / mean;
}

function upsampledConvolution(image, kernel, stride) {
  const [rows, columns] = [image.length * stride, image[0].length * stride];
  const size = kernel.length, padding = Math.floor((size - 1) / 2);
  const pixel = (row, column) => (row < 0 || column < 0 || row >= rows || column >= columns ? 0 : image[Math.floor(row / stride)][Math.floor(column / stride)]);
  return table(rows + 2 * padding - size + 1, columns + 2 * padding - size + 1, (row, column) =>
    kernel.reduce((sum, line, i) => line.reduce((part, weight, j) => part + weight * pixel(row + i - padding, column + j - padding), sum), 0));
}

function stepsReconcile(state) {
  const [rows, columns] = [state.image.length, state.image[0].length];
  const uncut = (Math.min(rows, columns) - 1) * state.stride + state.kernel_size;
  return { ...state, padding: Math.min(state.padding, Math.floor((uncut - 1) / 2)), step: Math.min(state.step, rows * columns) };
}

const patchSum = (state) => transposed(state.image, kernelValues(state.kernel, state.kernel_size), state.stride, state.padding, state.step);

function stepsSummary(state) {
  const output = patchSum(state), [rows, columns] = [state.image.length, state.image[0].length];
  const contrast = checkerboardContrast(kernelValues(state.kernel, state.kernel_size), state.stride);
  const even = contrast < 1e-9 ? "even" : `a checkerboard, uneven by ${Math.round(100 * contrast)} %`;
  return `${state.step} of ${rows * columns} patches added: a ${rows} x ${columns} image becomes ${output.length} x ${output[0].length}, ` +
    `largest value ${show(Math.max(...output.flat()))}; ` +
    `with kernel ${state.kernel_size} and stride ${state.stride} a uniform image becomes ${even}.`;
}

// ---- the view ----

// The kit's numberGrid has a fixed size; this image grows and shrinks.
function editableImage(view, colour) {
  const box = element("div", { class: "ce-numbers" });
  let inputs = [], shape = "";
  const paint = ({ image, step }) => {
    const columns = image[0].length;
    if (shape !== `${image.length} ${columns}`) {
      shape = `${image.length} ${columns}`;
      box.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
      inputs = image.flat().map((_, index) => {
        const [row, column] = [Math.floor(index / columns), index % columns];
        const input = element("input", {
          type: "number", min: -9, max: 9, "aria-label": `image, row ${row + 1}, column ${column + 1}`,
          oninput: () => {
            const value = input.valueAsNumber;
            if (Math.abs(value) <= 9) view.set({ image: view.state.image.map((line, i) => line.map((old, j) => (i === row && j === column ? value : old))) });
          },
          onblur: view.redraw,
        });
        return input;
      });
      box.replaceChildren(...inputs);
    }
    image.flat().forEach((value, index) => {
      const input = inputs[index], painted = colour(value);
      input.style.background = painted.fill;
      input.style.color = painted.ink;
      input.style.opacity = index < step ? 1 : 0.45;
      input.style.boxShadow = index === step - 1 ? `0 0 0 3px ${COURSE.palette.highlight}` : "";
      const typing = input.getRootNode().activeElement === input && (input.value === "" || input.valueAsNumber === value);
      if (!typing && input.valueAsNumber !== value) input.value = Math.round(value * 100) / 100;
    });
  };
  return { panel: element("figure", { class: "ce-panel" }, element("figcaption", {}, "image (type in it)"), box), paint };
}

export { checkerboardContrast, kernelValues, patchSum, stepsReconcile, stepsSummary, transposed, upsampledConvolution };
export default explorable({
  reconcile: stepsReconcile,
  summary: stepsSummary,
  predict: {
    question: (opening) => `Every pixel of the ${opening.image.length} × ${opening.image[0].length} image writes its value times the ` +
      `${opening.kernel_size} × ${opening.kernel_size} filter; the patches lie ${opening.stride} pixels apart and add up. Which number stands in the middle?`,
    reveal(guess, opening) {
      const output = patchSum({ ...opening, step: Infinity });
      const [row, column] = [output.length >> 1, output[0].length >> 1], value = output[row][column];
      const met = transposed(opening.image.map((line) => line.map(() => 1)), table(opening.kernel_size, opening.kernel_size, () => 1), opening.stride, opening.padding)[row][column];
      return `${guess === value ? "Right. " : ""}${met} patch${met > 1 ? "es meet" : ""} in the middle and make ${show(value)}. Play the steps to see how.`;
    },
  },
  build(view) {
    const sign = (text) => element("span", { class: "ce-sign", "aria-hidden": "true" }, text);
    const size = (state) => state.image.length * state.image[0].length;
    const image = editableImage(view, (value) => diverging(9)(value));
    const filter = view.grid({ label: "filter", cell: 34, largest: 120 });
    const sum = view.grid({ label: "sum of the patches", cell: 46, largest: 270 });
    const count = view.grid({ label: "patches per pixel", cell: 34, largest: 160 });
    const plainMap = view.grid({ label: "transposed convolution", cell: 20, largest: 260 });
    const smooth = view.grid({ label: "upsampling, then convolution", cell: 20, largest: 260 });
    const formula = view.formula(), chips = ["transposed: uneven by", "upsampling + convolution"].map((label) => view.chip(label));
    const twin = element("div", { class: "ce-row ce-middle", style: "gap: 20px; flex: 1 1 100%" },
      element("p", { class: "ce-formula" }, `The same filter on an image of ${COURSE.uniform} × ${COURSE.uniform} ones`),
      plainMap.panel, smooth.panel, element("div", { class: "ce-column" }, chips.map((chip) => chip.node)));
    view.stage(image.panel, sign("×"), filter.panel, sign("→"), view.veil(element("div", {}, sum.panel)), view.veil(element("div", {}, count.panel)));
    view.note(formula.node, view.veil(twin));
    view.controls(
      view.player({ field: "step", max: size, interval: 700 }),
      view.slider({ field: "stride", label: "stride s", min: 1, max: 4, unit: "px" }),
      view.slider({ field: "kernel_size", label: "filter size k", min: 1, max: 6, unit: "px" }),
      view.slider({ field: "padding", label: "padding p (cut off)", max: (state) => stepsReconcile({ ...state, padding: 2 }).padding, unit: "px" }),
      view.choice({ field: "kernel", label: "filter weights", options: COURSE.kernels.map((name) => [name, name]) }),
      view.choice({
        label: "image", options: [[0, "your own"], ...[2, 3, COURSE.side].map((side) => [side, `${side} × ${side} ones`])],
        apply: (side) => (side ? { image: table(side, side, () => 1), step: side * side } : {}),
        current: ({ image: rows }) => (rows.flat().every((value) => value === 1) && rows.length === rows[0].length && rows.length > 1 ? rows.length : 0),
      }),
      view.toggle({ field: "compare", label: "compare with upsampling" }),
      view.resetButton());
    view.draw((state) => {
      const kernel = kernelValues(state.kernel, state.kernel_size), output = patchSum(state);
      const reached = transposed(state.image.map((line) => line.map(() => 1)), kernel.map((line) => line.map(() => 1)), state.stride, state.padding, state.step);
      const columns = state.image[0].length, pixel = state.step - 1;
      const [row, column] = [Math.floor(pixel / columns), pixel % columns];
      image.paint(state);
      filter.paint({ values: kernel, colour: diverging(9), write: show, title: `filter ${state.kernel_size} × ${state.kernel_size}` });
      const boxes = [];
      let place = "";
      if (pixel >= 0) {
        const clip = (start, length) => [Math.max(start, 0), Math.min(start + state.kernel_size, length)];
        const [top, bottom] = clip(row * state.stride - state.padding, output.length);
        const [left, right] = clip(column * state.stride - state.padding, output[0].length);
        if (bottom > top && right > left) {
          boxes.push({ row: top, col: left, rows: bottom - top, cols: right - left });
          place = `rows ${top + 1} to ${bottom}, columns ${left + 1} to ${right}`;
        }
      }
      const finished = transposed(state.image, kernel, state.stride, state.padding).flat();
      const limit = Math.max(1, ...finished.map(Math.abs));
      const empty = (values) => values.map((line, i) => line.map((value, j) => (reached[i][j] ? value : null)));
      sum.paint({
        values: empty(output), colour: diverging(limit), write: show, boxes, title: `sum of the patches, ${output.length} × ${output[0].length}`,
        describe: output.map((line) => line.map(show).join(" ")).join("; "),
      });
      count.paint({ values: empty(reached), colour: intensity(0, 4), write: show, boxes });
      if (pixel < 0) formula.write("No patch yet: press Step.");
      else if (!view.pending()) {
        formula.write(`Patch ${state.step} of ${size(state)}: pixel `, element("mark", {}, show(state.image[row][column])), " × filter, ",
          place ? `added to ${place}` : "cut off completely",
          `. Size: (${state.image.length} − 1) · ${state.stride} + ${state.kernel_size} − 2 · ${state.padding} = `, element("b", {}, String(output.length)));
      } else formula.write("");
      twin.hidden = !state.compare;
      if (!state.compare) return;
      const ones = table(COURSE.uniform, COURSE.uniform, () => 1);
      const maps = [transposed(ones, kernel, state.stride, 0), upsampledConvolution(ones, kernel, state.stride)];
      [plainMap, smooth].forEach((grid, index) => grid.paint({ values: maps[index], colour: intensity(0, Math.max(...maps[index].flat())), write: show }));
      const contrast = checkerboardContrast(kernel, state.stride);
      chips[0].write(`${Math.round(100 * contrast)} %`, contrast < 1e-9 ? "no checkerboard" : "(largest − smallest) / mean");
      chips[1].write("0 %", "away from the borders, always");
    });
  },
});
