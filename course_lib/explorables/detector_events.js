// ---- the model: pure functions, twins of those in detector_events.py ----

const [LENGTH, HEIGHT] = COURSE.detector;

function eventHits(kind, energy, seed) {
  const stream = COURSE.streams[kind], angle = 0.5 * (uniform(seed, stream, 1)[0] - 0.5);
  let drawn;
  if (kind === "noise") {
    const places = uniform(seed, stream + 1, 2 * COURSE.noiseHits), energies = uniform(seed, stream + 2, COURSE.noiseHits);
    drawn = energies.map((share, at) => [LENGTH * places[2 * at], HEIGHT * places[2 * at + 1], -4 * Math.log(1 - share * 0.999)]);
  } else {
    const [loss, step] = COURSE.muon, [radiation, moliere, critical, hit] = COURSE.shower;
    let along, across, energies;
    if (kind === "muon") {
      const count = Math.max(2, Math.floor((energy * 1000) / loss / step)), scatter = normal(seed, stream + 5, count);
      along = Array.from({ length: count }, (_, at) => step * at);
      across = normal(seed, stream + 3, count).map((value) => 0.6 * value);
      energies = scatter.map((value) => loss * step * (1 + 0.15 * Math.abs(value)));
    } else {
      const count = Math.max(2, Math.floor((energy * 1000) / hit)), deepest = Math.max(0.2, Math.log(energy / critical) - 0.5);
      const shape = Math.max(2, Math.floor(1.5 + 0.5 * deepest)), depths = Array(count).fill(0);
      for (let part = 0; part < shape; part++) uniform(seed, stream + 10 + part, count).forEach((share, at) => { depths[at] -= Math.log(1 - share * 0.9999); });
      along = depths.map((depth) => ((radiation * depth) / (shape - 1)) * deepest);
      across = normal(seed, stream + 3, count).map((value, at) => moliere * (0.25 + along[at] / LENGTH) * value);
      energies = Array(count).fill(hit);
    }
    drawn = along.map((far, at) => [40 + far * Math.cos(angle) - across[at] * Math.sin(angle), HEIGHT / 2 + far * Math.sin(angle) + across[at] * Math.cos(angle), energies[at]]);
  }
  return drawn.filter(([x, y]) => x >= 0 && x < LENGTH && y >= 0 && y < HEIGHT);
}

function eventImage(points, side) {
  const pixels = Array.from({ length: Math.ceil(HEIGHT / side) }, () => Array(Math.ceil(LENGTH / side)).fill(0));
  for (const [x, y, energy] of points) pixels[Math.floor(y / side)][Math.floor(x / side)] += energy;
  return pixels;
}

function widthOf(points) {
  const sum = points.reduce((all, [, , energy]) => all + energy, 0), mean = (value) => points.reduce((all, point) => all + (point[2] / sum) * value(point), 0);
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  const xx = mean(([x]) => (x - mx) ** 2), yy = mean(([, y]) => (y - my) ** 2), xy = mean(([x, y]) => (x - mx) * (y - my));
  return Math.sqrt(Math.max(0, (xx + yy) / 2 - Math.hypot((xx - yy) / 2, xy)));
}

const litPixels = (pixels, side) => pixels.flatMap((row, at) => row.map((energy, place) => [(place + 0.5) * side, (at + 0.5) * side, energy])).filter(([, , energy]) => energy);
const tenth = (value) => String(Math.floor(value * 10 + 0.5) / 10);

function eventSummary({ kind, energy_gev, pixel_cm, seed }) {
  const points = eventHits(kind, energy_gev, seed), lit = litPixels(eventImage(points, pixel_cm), pixel_cm);
  const what = kind === "noise" ? "Noise" : `${kind[0].toUpperCase() + kind.slice(1)} of ${energy_gev} GeV`;
  return `${what}: ${points.length} hits light ${lit.length} pixels of ${pixel_cm} cm; the width across the axis is ${tenth(widthOf(points))} cm in hits and ${tenth(widthOf(lit))} cm in pixels.`;
}

// ---- the view ----

export { eventHits, eventImage, widthOf, eventSummary };
export default explorable({
  summary: eventSummary,
  predict: {
    question: "Which side may a pixel have so that a picture still tells a muon from an electron?",
    options: ["a few mm", "about the width of a shower", "about the length of a shower"],
    reveal: (guess) => `${guess === "about the width of a shower" ? "Right. " : ""}A muon is a thin line, an electron a cloud some 10 cm wide. Pixels wider than the cloud make both look ` +
      "alike; much smaller ones only cost memory and stay empty.",
  },
  build(view) {
    const [along, across] = [{ label: "along the beam (cm)", low: 0, high: LENGTH }, { label: "across (cm)", low: 0, high: HEIGHT }];
    const raw = axesPicture(view, { label: "hits", x: along, y: across, wide: 620, high: 230 });
    const seen = axesPicture(view, { label: "pixels", x: along, y: across, wide: 620, high: 230 });
    const chips = ["lit pixels", "width in hits", "width in pixels"].map((label) => view.chip(label));
    view.stage(element("div", { class: "ce-column" }, raw.panel, seen.panel), view.veil(element("div", { class: "ce-column" }, chips.map((chip) => chip.node))));
    view.controls(
      view.segments({ field: "kind", label: "what came", options: [["muon", "muon"], ["electron", "electron"], ["noise", "noise"]] }),
      view.slider({ field: "energy_gev", label: "energy", unit: "GeV", min: 0.2, max: 3, step: 0.1, off: (state) => state.kind === "noise" }),
      view.slider({ field: "pixel_cm", label: "pixel", unit: "cm", values: COURSE.pixels }),
      view.button("Next event", () => view.set({ seed: (view.state.seed + 1) % 100 })), view.resetButton());
    view.draw(({ kind, energy_gev, pixel_cm, seed }) => {
      const points = eventHits(kind, energy_gev, seed), pixels = eventImage(points, pixel_cm), lit = litPixels(pixels, pixel_cm);
      raw.paint({ layers: [{ points, colour: COURSE.palette.training, size: 2 }], describe: `${points.length} hits` });
      const most = Math.max(...pixels.flat()), colour = intensity(0, most), empty = { fill: view.theme.empty };
      seen.paint({
        layers: [{ field: pixels, colour: (value) => (value ? colour(value) : empty), box: [0, 0, pixels[0].length * pixel_cm, pixels.length * pixel_cm] }],
        title: `pixels of ${pixel_cm} cm, ${pixels.length} × ${pixels[0].length}`, describe: `${lit.length} are lit`,
      });
      chips[0].write(String(lit.length), `of ${pixels.length * pixels[0].length}`);
      chips[1].write(`${tenth(widthOf(points))} cm`, "across the axis");
      chips[2].write(`${tenth(widthOf(lit))} cm`, "across the axis");
    });
  },
});
