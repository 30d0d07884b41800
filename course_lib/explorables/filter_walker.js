// ---- the model: pure functions, twins of those in filter_walker.py ----

const presets = Object.fromEntries(COURSE.images.map(({ name, low, rows }) =>
  [name, rows.map((row) => [...row].map((sign) => parseInt(sign, 36) + low))]));
const pixelsOf = ({ image }) => (typeof image === "string" ? presets[image] : image);
const filtersOf = (state) => (state.filters || COURSE.filters[state.kernel_size]).slice(0, state.n_filters);
const mapShape = (state) => {
  const image = pixelsOf(state);
  return [image.length - state.kernel_size + 1, image[0].length - state.kernel_size + 1];
};

function productsAt(image, kernel, top, left) {
  return kernel.map((line, row) => line.map((weight, col) => weight * image[top + row][left + col]));
}

function featureMap(image, kernel) {
  const size = kernel.length, map = [];
  for (let top = 0; top + size <= image.length; top++) {
    const line = [];
    for (let left = 0; left + size <= image[0].length; left++) {
      let sum = 0;
      for (let row = 0; row < size; row++) for (let col = 0; col < size; col++) sum += kernel[row][col] * image[top + row][left + col];
      line.push(sum);
    }
    map.push(line);
  }
  return map;
}

const featureMaps = (state) => filtersOf(state).map((kernel) => featureMap(pixelsOf(state), kernel));
const parameterCount = ({ kernel_size: size, n_filters: count }) => size * size * count + count;

function reconcile(state) {
  if (state.filters) {
    state.kernel_size = state.filters[0].length;
    state.n_filters = Math.min(state.n_filters, state.filters.length);
  }
  state.shown_filter = Math.min(state.shown_filter, state.n_filters - 1);
  const [rows, cols] = mapShape(state);
  state.position = Math.min(state.position, rows * cols - 1);
  return state;
}

function place(state) {
  const cols = mapShape(state)[1];
  return [Math.floor(state.position / cols), state.position % cols];
}

function walkerSummary(state) {
  const image = pixelsOf(state), size = state.kernel_size, [rows, cols] = mapShape(state), [row, col] = place(state);
  const sum = productsAt(image, filtersOf(state)[state.shown_filter], row, col).flat().reduce((total, value) => total + value, 0);
  return `Filter ${state.shown_filter + 1} of ${state.n_filters} (${size} × ${size}) stands at row ${row + 1}, column ${col + 1}: `
    + `its products add up to ${show(sum)}; the ${image.length} × ${image[0].length} image gives ${rows} × ${cols} numbers per filter, `
    + `and the layer has ${parameterCount(state)} parameters.`;
}

// ---- the view ----

const extent = (rows) => rows.reduce((most, row) => row.reduce((now, value) => Math.max(now, Math.abs(value)), most), 0);

function imageColours(image) {
  const values = image.flat();
  if (values.every((value) => value === 1 || value === -1)) return spins;
  return Math.min(...values) < 0 ? diverging(extent(image)) : intensity(0, Math.max(...values));
}

// The last result stays until its ingredients change: a frame of the gliding filter computes nothing.
function remembered(compute) {
  let before = [], result;
  return (...ingredients) => {
    if (ingredients.some((part, index) => part !== before[index])) [before, result] = [ingredients, compute(...ingredients)];
    return result;
  };
}

const sizes = ([rows, cols]) => `${rows} × ${cols}`;
const answers = (state) => {
  const image = pixelsOf(state), size = state.kernel_size;
  const options = [0, size - 1, size].map((less) => sizes([image.length - less, image[0].length - less]));
  return [...new Set([...options, sizes([Math.floor(image.length / size), Math.floor(image[0].length / size)])])];
};

export { featureMaps, parameterCount, walkerSummary };
export default explorable({
  reconcile,
  summary: walkerSummary,
  predict: {
    question: (opening) => {
      const image = pixelsOf(opening), size = opening.kernel_size;
      return `A ${size} × ${size} filter visits every place where it fits into the ${sizes([image.length, image[0].length])} image. How large is the feature map?`;
    },
    options: answers,
    reveal(guess, opening) {
      const right = sizes(mapShape(opening)), image = pixelsOf(opening), size = opening.kernel_size;
      return `${guess === right ? "Right: " : "It is "}${right}, since ${image.length} − ${size} + 1 = ${image.length - size + 1}: the output shrinks by k − 1. Now watch the parameter counter while you change the image.`;
    },
  },
  build(view) {
    const coloursOf = remembered(imageColours);
    const mapsOf = remembered((image, filters, count) => filters.slice(0, count).map((kernel) => {
      const map = featureMap(image, kernel);
      return { map, colour: diverging(extent(map)) };
    }));
    const stand = (row, col) => {
      const [rows, cols] = mapShape(view.state);
      const clip = (value, most) => Math.max(0, Math.min(most - 1, value));
      view.set({ position: clip(row, rows) * cols + clip(col, cols) });
    };
    const half = () => Math.floor(view.state.kernel_size / 2);
    const image = view.grid({ label: "image", largest: 300, pick: (row, col) => stand(row - half(), col - half()) });
    const maps = [0, 1, 2, 3].map((index) => view.grid({
      label: "", largest: () => (view.state.n_filters > 1 ? 150 : 300),
      pick: (row, col) => { view.set({ shown_filter: index }); stand(row, col); },
    }));
    const patch = view.grid({ label: "patch under the filter", largest: 132 });
    const filter = view.grid({ label: "filter", largest: 132 });
    const products = view.grid({ label: "products", largest: 132 });
    const running = view.grid({ label: "running sum", largest: 132 });
    const sign = (text) => element("span", { class: "ce-sign", "aria-hidden": "true" }, text);
    const size = view.chip("feature map"), parameters = view.chip("parameters"), dense = view.chip("dense layer, same output");
    view.stage(image.panel, sign("→"), view.veil(element("div", { class: "ce-maps" }, maps.map((map) => map.panel))),
      view.veil(element("div", { class: "ce-column" }, size.node, parameters.node, dense.node)));
    view.note(element("div", { class: "ce-row ce-middle ce-chain" },
      patch.panel, sign("·"), filter.panel, sign("="), products.panel, sign("Σ"), running.panel));
    const position = view.slider({
      field: "position", label: "position", max: (state) => mapShape(state).reduce((a, b) => a * b) - 1,
      write: (value, state) => `row ${place(state)[0] + 1}, column ${place(state)[1] + 1}`,
    });
    position.classList.add("ce-wide");
    const player = view.player({ field: "position", max: (state) => mapShape(state).reduce((a, b) => a * b) - 1, interval: (state) => (pixelsOf(state).length > 12 ? 60 : 350) });
    view.controls(player, position, view.resetButton(), element("i"),
      view.choice({
        label: "image", options: [...COURSE.images.map(({ name, label }) => [name, label]), ["", "your own"]],
        apply: (name) => (name ? { image: name } : {}), current: ({ image }) => (typeof image === "string" ? image : ""),
      }),
      view.segments({ field: "kernel_size", label: "kernel size k", options: [[1, "1"], [3, "3"], [5, "5"]], off: (state) => state.filters }),
      view.slider({ field: "n_filters", label: "number of filters", min: 1, max: (state) => (state.filters || [1, 1, 1, 1]).length }),
      view.slider({ field: "shown_filter", label: "filter written out", max: (state) => state.n_filters - 1, write: (value) => String(value + 1), off: (state) => state.n_filters < 2 }));
    view.draw((state) => {
      const pixels = pixelsOf(state), filters = state.filters || COURSE.filters[state.kernel_size];
      const chosen = state.shown_filter, kernel = filters[chosen], k = state.kernel_size;
      const [row, col] = place(state), shape = mapShape(state);
      const results = mapsOf(pixels, filters, state.n_filters);
      const [top, left] = view.glide("filter", [row, col]);
      const colour = coloursOf(pixels);
      image.paint({
        values: pixels, colour, write: show, boxes: [{ row: top, col: left, rows: k, cols: k }],
        title: `image ${sizes([pixels.length, pixels[0].length])}`,
      });
      maps.forEach((map, index) => {
        map.panel.hidden = index >= state.n_filters;
        if (map.panel.hidden) return;
        const label = state.filters ? `filter ${index + 1}` : COURSE.filterLabels[k][index];
        map.paint({
          values: results[index].map.map((line, at) => line.map((value, place) => (at * shape[1] + place <= state.position ? value : null))),
          colour: results[index].colour, write: show,
          boxes: [{ row, col, colour: index === chosen ? COURSE.palette.highlight : view.theme.muted }],
          title: `map ${index + 1}: ${label}`, describe: `${sizes(shape)}, value here ${show(results[index].map[row][col])}`,
        });
      });
      const here = productsAt(pixels, kernel, row, col);
      let total = 0;
      const sums = here.map((line) => [(total = line.reduce((sum, value) => sum + value, total))]);
      patch.paint({ values: pixels.slice(row, row + k).map((line) => line.slice(col, col + k)), colour, write: show });
      filter.paint({ values: kernel, colour: diverging(extent(kernel)), write: show, title: `filter ${chosen + 1}` });
      products.paint({ values: here, colour: diverging(extent(here)), write: show, describe: here.flat().map(show).join(", ") });
      running.paint({ values: sums, colour: results[chosen].colour, write: show, boxes: [{ row: k - 1, col: 0 }], describe: `total ${show(total)}` });
      const inputs = pixels.length * pixels[0].length, outputs = shape[0] * shape[1] * state.n_filters;
      size.write(sizes(shape), `${pixels.length} − ${k} + 1 = ${shape[0]}`);
      parameters.write(String(parameterCount(state)), `1·${k}·${k}·${state.n_filters} + ${state.n_filters}, any image size`);
      dense.write(((inputs + 1) * outputs).toLocaleString("en").replaceAll(",", " "), "grows with the image");
    });
  },
});
