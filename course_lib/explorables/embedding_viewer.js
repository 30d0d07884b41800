const GLYPHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// Each point carries the sign of its class: no meaning rests on colour alone.
function cloud(view, { labels, classes }, hover, press) {
  const canvas = element("canvas", { role: "img", class: "ce-picked" }), pen = canvas.getContext("2d"), wide = 470, high = 420, edge = 30;
  const short = classes.every((name) => name.length < 3), glyph = (index) => (short ? classes[index] : GLYPHS[index % 26]);
  const colour = (index) => COURSE.sequence[index % COURSE.sequence.length];
  let places = [];
  const nearest = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect(), scale = wide / box.width, x = (clientX - box.left) * scale, y = (clientY - box.top) * scale;
    let best = -1, distance = 14 ** 2;
    places.forEach(([px, py], at) => {
      const d = (px - x) ** 2 + (py - y) ** 2;
      if (d < distance) [best, distance] = [at, d];
    });
    return best;
  };
  canvas.addEventListener("pointermove", (event) => { const at = nearest(event); if (at >= 0) hover(at); });
  canvas.addEventListener("pointerdown", (event) => { const at = nearest(event); if (at >= 0) press(at); });
  const legend = element("figcaption", { class: "ce-legend" }, classes.map((name, at) => element("span", {},
    element("i", { style: `background:${colour(at)}` }, glyph(at)), short ? "" : name)));
  return { panel: element("figure", { class: "ce-panel" }, legend, canvas), paint({ points, neighbours, method }, chosen) {
    const scale = devicePixelRatio || 1, { values } = points, count = values.length / 2;
    const ends = [0, 1].map((axis) => {
      const line = Array.from({ length: count }, (_, at) => values[2 * at + axis]);
      return [Math.min(...line), Math.max(...line)];
    });
    const at = (axis, value, from, to) => from + ((value - ends[axis][0]) / (ends[axis][1] - ends[axis][0] || 1)) * (to - from);
    places = Array.from({ length: count }, (_, index) => [at(0, values[2 * index], edge, wide - 12), at(1, values[2 * index + 1], high - edge, 12)]);
    [canvas.width, canvas.height] = [wide * scale, high * scale];
    canvas.style.width = wide + "px";
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const ring = (index, stroke, dash) => {
      pen.beginPath();
      pen.arc(...places[index], 11, 0, 7);
      pen.setLineDash(dash);
      for (const [width, line] of [[5, view.theme.surface], [2.5, stroke]]) { pen.lineWidth = width; pen.strokeStyle = line; pen.stroke(); }
      pen.setLineDash([]);
    };
    pen.font = "600 9px system-ui, sans-serif";
    places.forEach(([x, y], index) => {
      const label = labels[index], hue = labels.length ? colour(label) : COURSE.palette.reference;
      pen.fillStyle = hue;
      pen.beginPath();
      pen.arc(x, y, labels.length ? 6.5 : 4, 0, 7);
      pen.fill();
      pen.fillStyle = "#fff";
      if (labels.length) pen.fillText(glyph(label), x, y + 0.5);
    });
    neighbours.forEach((index) => ring(index, view.theme.ink, [3, 2]));
    ring(chosen, COURSE.palette.highlight, []);
    pen.fillStyle = view.theme.muted;
    pen.font = "11px system-ui, sans-serif";
    const axis = method === "PCA" ? "principal component" : "t-SNE coordinate";
    pen.fillText(`first ${axis}`, wide / 2, high - 8);
    pen.rotate(-Math.PI / 2);
    pen.fillText(`second ${axis}`, -high / 2, 8);
    canvas.setAttribute("aria-label", `${count} points by ${method}, point ${chosen} chosen`);
  } };
}

export default kernelBacked({ build(view, kernel) {
  const { layers, classes, labels, perplexities, count } = kernel.setup;
  let pinned = false;
  const choose = (point) => { if (point !== view.state.point) view.set({ point }); };
  const plane = cloud(view, kernel.setup, (point) => pinned || choose(point), (point) => { pinned = !pinned || point !== view.state.point; choose(point); });
  const image = picture({ label: "input", side: 150 }), near = Array.from({ length: 5 }, (_, at) => picture({ label: `neighbour ${at + 1}`, side: 62 }));
  const chips = ["neighbours kept", "neighbours of the same class", "the point"].map((label) => view.chip(label));
  view.stage(plane.panel, element("div", { class: "ce-column ce-side" }, image.panel, element("figcaption", {}, "nearest in the layer (dashed rings)"),
    element("div", { class: "ce-row ce-middle" }, near.map(({ panel }) => panel))));
  view.note(...chips.map((chip) => chip.node));
  const still = (state) => state.method === "PCA";
  view.controls(
    view.choice({ field: "layer", label: "layer", options: layers.map((name) => [name, name]) }),
    view.segments({ field: "method", label: "arranged by", options: [["PCA", "PCA"], ["t-SNE", "t-SNE"]] }),
    view.slider({ field: "perplexity", label: "perplexity", values: perplexities, off: still }),
    view.slider({ field: "seed", label: "seed", max: 99, off: still }),
    view.slider({ field: "point", label: "point", max: count - 1 }),
    view.resetButton());
  chips[1].node.hidden = !labels.length;
  kernel.draw((answer, state) => {
    plane.paint(answer, state.point);
    const named = (at) => (labels.length ? classes[labels[at]] : "");
    image.paint({ array: part(answer.pictures, 0), colours: answer.colours, title: `input ${answer.index}${labels.length ? ": " + named(state.point) : ""}` });
    near.forEach((one, at) => one.paint({ array: part(answer.pictures, at + 1), colours: answer.colours, title: named(answer.neighbours[at]) }));
    chips[0].write(`${Math.round(100 * answer.kept)} %`, answer.explained === null ? "of the five nearest" : `${Math.round(100 * answer.explained)} % of the variance shown`);
    if (answer.same !== null) chips[1].write(`${Math.round(100 * answer.same)} %`, "in the layer");
    chips[2].write(answer.predicted, labels.length ? `predicted, in truth ${named(state.point)}` : "predicted");
  });
} });
