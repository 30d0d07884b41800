// ---- the model: pure functions, twins of those in hexagonal_grid.py ----

const keyOf = (q, r) => q + " " + r;
const placeOf = Object.fromEntries(COURSE.cells.map(([q, r], place) => [keyOf(q, r), place]));
const mod = (value, by) => ((value % by) + by) % by;

function turned([q, r], turns) {
  for (let turn = 0; turn < mod(turns, 6); turn++) [q, r] = [-r, q + r];
  return [q, r];
}

const offset = ([q, r]) => [r, q + (r - mod(r, 2)) / 2];

function neighbourSteps(cell, system) {
  if (system === "axial") return COURSE.directions;
  const [row, column] = offset(cell);
  return COURSE.directions.map(([q, r]) => {
    const [otherRow, otherColumn] = offset([cell[0] + q, cell[1] + r]);
    return [otherRow - row, otherColumn - column];
  });
}

function hexPicture(lit, turns) {
  const values = COURSE.cells.map(() => 0);
  for (const place of lit) values[placeOf[keyOf(...turned(COURSE.cells[place], turns))]] = 1;
  return values;
}

function convolve(values, weights, turns) {
  return COURSE.cells.map(([q, r], place) => {
    let sum = weights[0] * values[place];
    for (let direction = 0; direction < 6; direction++) {
      const step = COURSE.directions[(direction + turns) % 6], other = placeOf[keyOf(q + step[0], r + step[1])];
      if (other !== undefined) sum += weights[1 + direction] * values[other];
    }
    return sum;
  });
}

function hexChannels(values, layer) {
  const turns = [0, 1, 2, 3, 4, 5], first = turns.map((turn) => convolve(values, COURSE.first, turn));
  if (layer === 1) return first;
  const active = first.map((map) => map.map((value) => Math.max(value, 0)));
  return turns.map((turn) => {
    const parts = turns.map((j) => convolve(active[j], COURSE.second[mod(j - turn, 6)], turn));
    return parts[0].map((_, place) => parts.reduce((sum, part) => sum + part[place], 0));
  });
}

function equivarianceError(lit, turns, layer, shared = true) {
  const seen = hexChannels(hexPicture(lit, turns), layer);
  let largest = 0;
  hexChannels(hexPicture(lit, 0), layer).forEach((map, channel) => map.forEach((value, place) => {
    const there = seen[(channel + (shared ? turns : 0)) % 6][placeOf[keyOf(...turned(COURSE.cells[place], turns))]];
    largest = Math.max(largest, Math.abs(there - value));
  }));
  return largest;
}

function hexSummary(state) {
  if (state.show === "coordinates") {
    const cell = COURSE.cells[state.cell], axial = state.system === "axial", here = axial ? cell : offset(cell);
    const steps = neighbourSteps(cell, state.system).map(([one, other]) => `+(${one}, ${other})`).join(", ");
    const where = axial ? "the same steps in every row" : `as in every ${mod(cell[1], 2) ? "odd" : "even"} row, other steps in the others`;
    return `${axial ? "Axial" : "Offset"}: cell (${here[0]}, ${here[1]}) has the neighbours ${steps}, ${where}.`.replace(/-/g, "−");
  }
  return `Layer ${state.layer}, picture turned by ${60 * state.turns} degrees: the six channels are those of the unturned picture, turned and shifted by ` +
    `${state.turns} places, with a difference of ${equivarianceError(state.lit, state.turns, state.layer)}; without the shift they differ by up to ` +
    `${equivarianceError(state.lit, state.turns, state.layer, false)}.`;
}

// ---- the view ----

// One patch of hexagons. paint({fill(place), ink(place), text(place), title})
function hexagons(view, { label, size, picked, walk }) {
  const canvas = element("canvas", { role: "img", "aria-label": label, tabindex: walk ? 0 : null }), caption = element("figcaption", {}, label);
  const pen = canvas.getContext("2d"), step = size * Math.sqrt(3), wide = 7 * step + 6, high = 11 * size + 6;
  const centre = ([q, r]) => [wide / 2 + step * (q + r / 2), high / 2 + 1.5 * size * r];
  canvas.style.width = wide + "px";
  canvas.style.height = high + "px";
  if (picked) {
    canvas.classList.add("ce-picked");
    canvas.addEventListener("pointerdown", (event) => {
      const box = canvas.getBoundingClientRect(), zoom = box.width / wide;
      const far = COURSE.cells.map((cell) => { const [x, y] = centre(cell); return Math.hypot(x - (event.clientX - box.left) / zoom, y - (event.clientY - box.top) / zoom); });
      const place = far.indexOf(Math.min(...far));
      if (far[place] < size) picked(place);
    });
  }
  if (walk) canvas.addEventListener("keydown", (event) => {
    const by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], Enter: [0, 0], " ": [0, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    walk(by);
  });
  const paint = ({ fill, ink, text, ring, title }) => {
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(wide * scale)) [canvas.width, canvas.height] = [Math.round(wide * scale), Math.round(high * scale)];
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    COURSE.cells.forEach((cell, place) => {
      const [x, y] = centre(cell);
      pen.beginPath();
      for (let corner = 0; corner < 6; corner++) pen.lineTo(x + (size - 1) * Math.sin((corner * Math.PI) / 3), y + (size - 1) * Math.cos((corner * Math.PI) / 3));
      pen.closePath();
      pen.fillStyle = fill(place);
      pen.fill();
      pen.lineWidth = ring && ring(place) ? 3 : 1;
      pen.strokeStyle = ring && ring(place) ? view.theme.ink : view.theme.line;
      pen.stroke();
      if (!text) return;
      pen.fillStyle = ink(place);
      pen.font = `${Math.round(size * 0.46)}px system-ui, sans-serif`;
      pen.fillText(text(place), x, y + 1);
    });
    if (title && caption.textContent !== title) caption.textContent = title;
  };
  return { panel: element("figure", { class: "ce-panel" }, caption, canvas), canvas, paint };
}

export { neighbourSteps, hexChannels, hexPicture, equivarianceError, hexSummary };
export default explorable({
  summary: hexSummary,
  predict: {
    question: "A filter over a cell and its six neighbours is stored as a table of steps (row, column). For how many different tables do you need code if odd rows are shifted?",
    options: ["one", "two", "six"],
    reveal: (guess) => `${guess === "two" ? "Right. " : ""}With shifted rows the steps differ between even and odd rows, so every filter exists twice. In axial coordinates one table serves everywhere: ` +
      "a square of 3 × 3 with two opposite corners masked.",
  },
  build(view) {
    const walkCell = ([dq, dr]) => {
      const [q, r] = COURSE.cells[view.state.cell], next = placeOf[keyOf(q + dq, r + dr)];
      if (!dq && !dr) toggle(view.state.cell);
      else if (next !== undefined) view.set({ cell: next });
    };
    const toggle = (place) => {
      // Drawn in the turned picture: the cell is turned back first.
      const home = placeOf[keyOf(...turned(COURSE.cells[place], -view.state.turns))], { lit } = view.state;
      view.set({ lit: lit.includes(home) ? lit.filter((one) => one !== home) : [...lit, home].sort((a, b) => a - b), cell: place });
    };
    const big = hexagons(view, { label: "cells (click, or arrow keys)", size: 27, walk: walkCell,
      picked: (place) => (view.state.show === "coordinates" ? view.set({ cell: place }) : toggle(place)) });
    const mask = view.grid({ label: "filter as a table", cell: 44 });
    const small = Array.from({ length: 6 }, (_, at) => hexagons(view, { label: `channel ${60 * at}°`, size: 11 }));
    const maps = element("div", { class: "ce-maps", style: "width:470px" }, small.map(({ panel }) => panel));
    const table = view.veil(element("div", {}, mask.panel));
    view.stage(big.panel, table, maps);
    const only = (show, node) => { view.draw((state) => { node.hidden = state.show !== show; }); return node; };
    view.controls(
      view.segments({ field: "show", label: "show", options: [["coordinates", "coordinates (8.12)"], ["channels", "turning channels (8.13)"]] }),
      only("coordinates", view.segments({ field: "system", label: "numbering", options: [["axial", "axial (q, r)"], ["offset", "offset (row, column)"]] })),
      only("channels", view.slider({ field: "turns", label: "turn the picture", max: 5, write: (value) => `${60 * value}°` })),
      only("channels", view.segments({ field: "layer", label: "layer", options: [[1, "1"], [2, "2"]] })),
      view.resetButton());
    view.draw((state) => {
      const coordinates = state.show === "coordinates", { palette } = COURSE;
      table.hidden = !coordinates;
      maps.hidden = coordinates;
      const here = COURSE.cells[state.cell], near = new Set(COURSE.directions.map(([q, r]) => placeOf[keyOf(here[0] + q, here[1] + r)]));
      const values = hexPicture(state.lit, state.turns);
      big.paint({
        fill: (place) => (coordinates
          ? place === state.cell ? palette.highlight : near.has(place) ? palette.test : view.theme.empty
          : values[place] ? palette.training : view.theme.empty),
        ring: (place) => place === state.cell,
        ink: (place) => (place === state.cell ? "#1f2430" : near.has(place) ? "#fff" : view.theme.ink),
        text: coordinates && ((place) => (state.system === "axial" ? COURSE.cells[place] : offset(COURSE.cells[place])).join(",").replace(/-/g, "−")),
        title: coordinates ? `${state.system === "axial" ? "q, r" : "row, column"} of every cell (click one)` : "picture (click cells, then turn it)",
      });
      if (coordinates) {
        const marks = Array.from({ length: 3 }, () => [0, 0, 0]);
        marks[1][1] = 2;
        for (const [one, other] of neighbourSteps(here, state.system)) state.system === "axial" ? (marks[1 + other][1 + one] = 1) : (marks[1 + one][1 + other] = 1);
        mask.paint({
          values: marks, colour: (value) => ({ fill: value === 2 ? palette.highlight : value ? palette.test : "", ink: value === 1 ? "#fff" : "#1f2430" }),
          cross: (row, col) => !marks[row][col],
          title: state.system === "axial" ? "filter as a table, every row" : `filter as a table, ${mod(here[1], 2) ? "odd" : "even"} rows`,
          describe: marks.map((row) => row.map((value) => (value ? "used" : "masked")).join(" ")).join("; "),
        });
      } else {
        const all = hexChannels(values, state.layer), limit = Math.max(1, ...all.flat().map(Math.abs)), colour = diverging(limit);
        small.forEach((one, at) => one.paint({ fill: (place) => colour(all[at][place]).fill }));
      }
    });
  },
});
