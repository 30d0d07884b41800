// Explorables whose pictures the kernel computes (see kernel_backed.py). This file follows kit.js.
//
//   kernelBacked({ build(view, kernel) })   -> what anywidget renders
//     kernel.setup                          what never changes
//     kernel.draw((answer, state) => ...)   runs at every redraw once there is an answer
//   part(array, index)                      one entry along the first axis of {shape, values}
//   picture({label, side, pick(row, column)}) -> {panel, paint({array, colours, boxes, title, describe})}
//     colours: {kind: "diverging" | "intensity" | "spins" | "colours", low, high}
//     boxes: [{row, col, rows, cols}], counted in pixels
//   scaleStrip() -> {panel, paint(colours, unit)}, number(value) -> text

const ask = (line, request) => (line.flying ? { ...line, waiting: request } : { flying: request, waiting: null });
const answered = (line, id) => (line.flying && line.flying.id === id ? { flying: line.waiting, waiting: null } : line);

export { answered, ask };

function unpack(value, buffers) {
  if (Array.isArray(value)) return value.map((entry) => unpack(entry, buffers));
  if (!value || typeof value !== "object") return value;
  if ("array" in value) {
    const { buffer, byteOffset, byteLength } = buffers[value.array];
    return { shape: value.shape, values: new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)) };
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, unpack(entry, buffers)]));
}

function kernelBacked({ build }) {
  return { render({ model, el }) {
    const page = Math.random().toString(36).slice(2), key = JSON.stringify;
    const status = element("span", { class: "ce-kernel" }, "busy");
    let line = { flying: null, waiting: null }, count = 0, asked, sent = 0, answer, error = "", view, root, heard;

    function move(next) {
      const send = next.flying && next.flying !== line.flying;
      line = next;
      if (send) {
        sent = performance.now();
        model.send(line.flying);
      }
      status.textContent = line.flying ? "busy" : error ? "error" : "idle";
      if (root) root.setAttribute("aria-busy", String(Boolean(line.flying)));
    }

    const request = (state) => {
      asked = key(state);
      move(ask(line, { id: page + count++, state }));
    };

    function take(message, buffers) {
      // Other views of the same widget hear all answers.
      if (!line.flying || message.id !== line.flying.id) return;
      root.dataset.answerMs = (performance.now() - sent).toFixed(1);
      error = message.error || "";
      if (!error) answer = unpack(message.content, buffers);
      move(answered(line, message.id));
      if (!error && !line.flying && key(view.state) === asked) {
        // Python may have brought fields in line that contradicted each other.
        const state = { ...view.state, ...message.state };
        asked = key(state);
        view.set(state);
        if (answer.more) request(state);
      }
      view.redraw();
    }

    const close = openView({
      summary: () => (error ? "The kernel could not answer: " + error : answer ? answer.summary : "The kernel computes the first picture."),
      build(given) {
        view = given;
        view.draw((state) => { if (key(state) !== asked) request(state); });
        build(view, { setup: model.get("setup"), draw: (paint) => view.draw((state) => answer && paint(answer, state)) });
      },
    }, {
      get: (name) => model.get(name),
      set: () => {},
      save_changes: () => {},
      // What Python sets is taken; the echo of what was asked is not, and the hand of the student wins.
      on: (name, tell) => model.on(name, (heard = () => line.flying || tell())),
      off: (name) => model.off(name, heard),
    }, el);
    root = el.lastElementChild;
    root.querySelector(".ce-figure").append(status);
    model.on("msg:custom", take);
    return () => { model.off("msg:custom", take); close(); };
  } };
}

// ---- pictures ----

// Three significant digits.
const number = (value) => (value === null ? "–" : String(Number(value.toPrecision(3))).replace("-", "−"));
const part = ({ shape: [, ...shape], values }, index) => {
  const size = shape.reduce((product, side) => product * side, 1);
  return { shape, values: values.subarray(index * size, (index + 1) * size) };
};
const bytes = (map) => map.map(({ fill }) => fill.match(/\d+/g).map(Number));
const MAPS = { diverging: bytes(DIVERGING), intensity: bytes(INTENSITY), spins: bytes(SPINS) };

function paintPixels(canvas, { shape: [rows, cols, channels = 1], values }, { kind, low, high }, side) {
  const image = new ImageData(cols, rows), map = MAPS[kind], scale = 255 / (high - low || 1), unit = side / Math.max(rows, cols);
  const level = (value) => Math.max(0, Math.min(255, Math.round((value - low) * scale)));
  for (let at = 0; at < rows * cols; at++) {
    const first = values[at * channels];
    // Not finite: the ground shows through.
    if (Number.isFinite(first)) image.data.set([...(map ? map[level(first)] : [0, 1, 2].map((c) => level(values[at * channels + c]))), 255], 4 * at);
  }
  [canvas.width, canvas.height] = [cols, rows];
  canvas.getContext("2d").putImageData(image, 0, 0);
  // A table is one row: thin, but visible.
  [canvas.style.width, canvas.style.height] = [cols * unit + "px", Math.max(22, rows * unit) + "px"];
}

function picture({ label, side = 190, pick }) {
  const canvas = element("canvas", { role: "img", "aria-label": label }), caption = element("figcaption", {}, label);
  const frame = element("div", { class: "ce-frame" }, canvas);
  if (pick) {
    canvas.classList.add("ce-picked");
    const report = (event) => {
      if (!event.buttons) return;
      const box = canvas.getBoundingClientRect();
      const at = (offset, extent, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / extent) * count)));
      pick(at(event.clientY - box.top, box.height, canvas.height), at(event.clientX - box.left, box.width, canvas.width));
    };
    canvas.addEventListener("pointerdown", report);
    canvas.addEventListener("pointermove", report);
  }
  return { panel: element("figure", { class: "ce-panel" }, caption, frame), paint({ array, colours, boxes = [], title = label, describe }) {
    const [rows, cols] = array.shape, share = (part, whole) => (100 * part) / whole + "%";
    paintPixels(canvas, array, colours, side);
    frame.replaceChildren(canvas, ...boxes.map((box) => element("i", { class: "ce-box", style:
      `left:${share(box.col, cols)};top:${share(box.row, rows)};width:${share(box.cols || 1, cols)};height:${share(box.rows || 1, rows)}` })));
    caption.textContent = title;
    canvas.setAttribute("aria-label", describe ? `${title}: ${describe}` : title);
  } };
}

// What the colours mean, in numbers.
function scaleStrip() {
  const strip = element("i"), texts = [0, 1, 2].map(() => element("span")), panel = element("div", { class: "ce-scale" }, strip, texts);
  return { panel, paint({ kind, low, high }, unit) {
    const map = { diverging: DIVERGING, intensity: INTENSITY, spins: SPINS }[kind];
    panel.hidden = !map;
    if (map) strip.style.background = `linear-gradient(90deg, ${[0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => pick(map, at / 8).fill)})`;
    [low, unit, high].forEach((text, at) => { texts[at].textContent = typeof text === "number" ? number(text) : text; });
  } };
}
