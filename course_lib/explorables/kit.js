// What every explorable shares in the browser. base.py puts `const COURSE = {...}` (title, goal, defaults,
// palette, colour maps, constants of the explorable) before this file and the explorable's own file after it.
//
//   explorable({reconcile, summary, predict, build})   -> what anywidget renders
//     predict: {question, options, reveal(guess, opening state)}; without options a number is asked for
//     change(changes): what else changes when the student changes this (optional)
//   localModel(state)                                        -> a model for pages without a kernel
//   element(tag, attributes, ...children), show(number), colour makers: diverging(limit), intensity(low, high),
//   spins(value), plain(value)
//
// `build(view)` gets:
//   view.state, view.set({field: value})        read and change the state; redraws and tells Python
//   view.draw(state => ...)                     runs at every redraw
//   view.stage(...nodes), view.controls(...nodes), view.note(nodes...)   where things go, from top to bottom
//   view.slider, view.segments, view.choice, view.toggle, view.button, view.resetButton, view.player
//   view.grid({...}) -> {panel, paint({...})}, view.numberGrid({...}), view.formula(), view.chip(label)
//   view.veil(node)                             hidden until the student has predicted or skipped
//   view.glide(name, [row, col])                a position that follows its target smoothly
//   view.pending()                              true while the prediction is still open

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat());
  return node;
}

const valueOf = (given, ...facts) => (typeof given === "function" ? given(...facts) : given);

// A number as a person writes it: at most two decimals, a true minus sign.
function show(value) {
  return String(Math.round(value * 100) / 100 || 0).replace("-", "−");
}

function localModel(state) {
  const listeners = new Set();
  return {
    get: () => state,
    set: (name, value) => { state = value; for (const tell of [...listeners]) tell(); },
    save_changes: () => {},
    on: (name, tell) => listeners.add(tell),
    off: (name, tell) => listeners.delete(tell),
  };
}

// ---- colour maps, equal to those of course_lib.style ----

function colourMap(stops) {
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return Array.from({ length: 256 }, (_, index) => {
    const place = index / 255;
    let upper = stops.findIndex(([edge]) => edge >= place);
    upper = upper < 1 ? 1 : upper;
    const [[low, from], [high, to]] = [stops[upper - 1], stops[upper]];
    const share = (place - low) / (high - low);
    const mixed = rgb(from).map((value, channel) => Math.round(value + share * (rgb(to)[channel] - value)));
    // Relative luminance; these limits keep the contrast of the digits above 4.5.
    const light = [0.2126, 0.7152, 0.0722].reduce((sum, part, at) => sum + part * (mixed[at] / 255) ** 2.2, 0);
    return { fill: `rgb(${mixed})`, ink: light > 0.3 ? "#1f2430" : light > 0.18 ? "#000" : "#fff" };
  });
}
const DIVERGING = colourMap(COURSE.diverging);
const INTENSITY = colourMap(COURSE.intensity);
const SPINS = colourMap([[0, COURSE.palette.spin_down], [1, COURSE.palette.spin_up]]);
const pick = (map, share) => map[Math.max(0, Math.min(255, Math.round(share * 255)))];
const diverging = (limit) => (value) => pick(DIVERGING, 0.5 + value / (2 * (limit || 1)));
const intensity = (low, high) => (value) => pick(INTENSITY, (value - low) / (high - low || 1));
const spins = (value) => pick(SPINS, (value + 1) / 2);
const plain = () => ({ fill: "", ink: "" });

// ---- the live view ----

function explorable(spec) {
  const { reconcile = (state) => state, summary } = spec;
  return { render: ({ model, el }) => openView(spec, model, el), reconcile, summary };
}

function openView(spec, model, el) {
  const reconcile = spec.reconcile || ((state) => state);
  const complete = (state) => reconcile({ ...COURSE.defaults, ...state });
  const painters = [], closers = [], veiled = [], gliding = {}, theme = {};
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const opening = complete(model.get("state"));
  let state = opening, frame = 0, saving = 0, speaking = 0, width = 0;

  const stage = element("div", { class: "ce-stage" });
  const notes = element("div", { class: "ce-notes" });
  const controls = element("div", { class: "ce-controls" });
  const summary = element("p", { class: "ce-summary", role: "status", "aria-live": "polite" });
  const root = element("section", {
    class: "course-explorable", "aria-label": COURSE.title,
    // Else JupyterLab takes arrow keys and letters for its own commands.
    "data-lm-suppress-shortcuts": "true", onkeydown: (event) => event.stopPropagation(),
  }, element("header", {},
    element("span", { class: "ce-figure" }, COURSE.figure),
    element("h3", {}, COURSE.title),
    element("p", { class: "ce-goal" }, COURSE.goal)));
  const unique = () => "ce" + Math.random().toString(36).slice(2);

  function redraw() {
    frame = frame || requestAnimationFrame(drawNow);
  }

  function drawNow() {
    frame = 0;
    const start = performance.now();
    for (const node of veiled) {
      node.classList.toggle("ce-veiled", view.pending());
      node.toggleAttribute("inert", view.pending());
    }
    for (const paint of painters) paint(state);
    speaking = speaking || setTimeout(speak, 200);
    root.dataset.frameMs = (performance.now() - start).toFixed(2);
  }

  // Five times a second at most: a screen reader must be able to finish.
  function speak() {
    speaking = 0;
    const sentence = view.pending() ? "Predict first, or skip: the result stays hidden until then." : spec.summary(state);
    if (summary.textContent !== sentence) summary.textContent = sentence;
  }

  function set(changes) {
    state = complete({ ...state, ...(spec.change ? spec.change(changes) : changes) });
    redraw();
    saving = saving || setTimeout(save, 80);
  }

  function save() {
    clearTimeout(saving);
    saving = 0;
    model.set("state", state);
    model.save_changes();
  }

  function takeFromPython() {
    const incoming = model.get("state");
    // While a newer state waits to be sent, the hand of the student wins.
    if (saving || JSON.stringify(incoming) === JSON.stringify(state)) return;
    state = complete(incoming);
    redraw();
  }

  function readTheme() {
    const style = getComputedStyle(root);
    for (const name of ["ink", "muted", "line", "surface", "empty"]) theme[name] = style.getPropertyValue("--ce-" + name);
    redraw();
  }

  const view = {
    get state() { return state; },
    theme,
    set,
    redraw,
    draw: (paint) => painters.push(paint),
    stage: (...nodes) => stage.append(...nodes),
    note: (...nodes) => notes.append(...nodes),
    controls: (...nodes) => controls.append(...nodes),
    pending: () => Boolean(spec.predict) && state.prediction === null,
    veil: (node) => { veiled.push(node); return node; },

    glide(name, target) {
      const now = (gliding[name] = gliding[name] || [...target]);
      target.forEach((goal, index) => {
        const left = goal - now[index];
        const arrived = calm.matches || Math.abs(left) < 0.02;
        now[index] = arrived ? goal : now[index] + 0.35 * left;
        if (!arrived) redraw();
      });
      return now;
    },

    // `values` lists the allowed ones; else min, max (numbers or functions of the state) and step.
    slider({ field, label, unit = "", min = 0, max = 10, step = 1, values, write = show, off }) {
      const id = unique();
      // The slider itself says its value; a second voice would repeat it.
      const output = element("output", { "aria-hidden": "true" });
      const input = element("input", {
        type: "range", id,
        oninput: () => set({ [field]: values ? values[input.value] : Number(input.value) }),
      });
      painters.push((now) => {
        const text = write(now[field], now) + (unit && " " + unit);
        input.min = values ? 0 : valueOf(min, now);
        input.max = values ? values.length - 1 : valueOf(max, now);
        input.step = values ? 1 : step;
        input.value = values ? values.indexOf(now[field]) : now[field];
        input.disabled = Boolean(off && off(now));
        if (output.textContent !== text) {
          output.textContent = text;
          input.setAttribute("aria-valuetext", text);
        }
      });
      return element("div", { class: "ce-control ce-slider" }, element("label", { for: id }, label), input, output);
    },

    // A few exclusive options side by side: [[value, text], ...].
    segments({ field, label, options, off }) {
      const name = unique();
      const inputs = options.map(([value]) => element("input", { type: "radio", name, onchange: () => set({ [field]: value }) }));
      painters.push((now) => options.forEach(([value], index) => {
        inputs[index].checked = now[field] === value;
        inputs[index].disabled = Boolean(off && off(now));
      }));
      return element("fieldset", { class: "ce-control ce-segments" }, element("legend", {}, label),
        element("div", {}, options.map(([, text], index) => element("label", {}, inputs[index], element("span", {}, text)))));
    },

    // A drop-down; `apply(value)` returns the changes of the state, `current(state)` the chosen value.
    choice({ field, label, options, apply = (value) => ({ [field]: value }), current = (now) => now[field] }) {
      const id = unique();
      const list = element("select", { id, onchange: () => set(apply(options[list.selectedIndex][0])) },
        options.map(([, text]) => element("option", {}, text)));
      painters.push((now) => { list.selectedIndex = options.findIndex(([value]) => value === current(now)); });
      return element("div", { class: "ce-control" }, element("label", { for: id }, label), list);
    },

    toggle({ field, label }) {
      const input = element("input", { type: "checkbox", onchange: () => set({ [field]: input.checked }) });
      painters.push((now) => { input.checked = now[field]; });
      return element("label", { class: "ce-control ce-toggle" }, input, element("span", {}, label));
    },

    button: (label, press, title) => element("button", { type: "button", title, onclick: press }, label),

    // Back to the opening state; the prediction stays made.
    resetButton: () => view.button("↺ Reset", () => set({ ...opening, prediction: state.prediction }), "Back to the opening state"),

    // Step back, play, step forward through a whole-number field from 0 to max(state).
    player({ field, max, interval = () => 450 }) {
      let timer = 0;
      const stop = () => { clearTimeout(timer); timer = 0; label(); };
      const step = (by) => set({ [field]: Math.max(0, Math.min(max(state), state[field] + by)) });
      const tick = () => {
        if (state[field] >= max(state)) return stop();
        step(1);
        timer = setTimeout(tick, interval(state));
      };
      const play = view.button("", () => {
        if (timer) return stop();
        if (state[field] >= max(state)) set({ [field]: 0 });
        timer = setTimeout(tick, 100);
        label();
      });
      play.className = "ce-main";
      const label = () => { play.textContent = timer ? "❚❚ Pause" : "▶ Play"; };
      label();
      closers.push(stop);
      return element("div", { class: "ce-control ce-player", role: "group", "aria-label": "Steps" },
        view.button("◀ Back", () => { stop(); step(-1); }), play, view.button("Step ▶", () => { stop(); step(1); }));
    },

    formula() {
      const node = element("p", { class: "ce-formula" });
      return { node, write: (...parts) => node.replaceChildren(...parts) };
    },

    // A labelled number beside the picture.
    chip(label) {
      const value = element("strong"), detail = element("small");
      return {
        node: element("div", { class: "ce-chip" }, element("span", {}, label), value, detail),
        write: (text, more = "") => { value.textContent = text; detail.textContent = more; },
      };
    },

    // A picture of cells. paint({values, colour, write, boxes, dim, cross, describe}):
    // values: rows of numbers (null: nothing there yet); colour(value) -> {fill, ink}; write(value, row, col) -> text;
    // boxes: [{row, col, rows, cols, colour, dash}]; dim(row, col) -> opacity; cross(row, col) -> struck out;
    // describe: what a screen reader says. `pick(row, col)` is called while the pointer is down.
    grid({ label, cell = 38, largest = 320, pick: picked }) {
      const canvas = element("canvas", { role: "img", "aria-label": label });
      const caption = element("figcaption", {}, label);
      const pen = canvas.getContext("2d");
      let side = cell, rows = 1, cols = 1;
      if (picked) {
        canvas.classList.add("ce-picked");
        const report = (event) => {
          if (!event.buttons) return;
          const frame = canvas.getBoundingClientRect();
          const at = (offset, extent, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / extent) * count)));
          picked(at(event.clientY - frame.top, frame.height, rows), at(event.clientX - frame.left, frame.width, cols));
        };
        canvas.addEventListener("pointerdown", report);
        canvas.addEventListener("pointermove", report);
      }

      function paint({ values, colour = plain, write, boxes = [], dim, cross, describe, title }) {
        [rows, cols] = [values.length, values[0].length];
        side = Math.max(4, Math.floor(Math.min(cell, valueOf(largest) / Math.max(rows, cols), (width - 24) / cols)));
        const scale = devicePixelRatio || 1, high = rows * side + 2, wide = cols * side + 2;
        if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(high * scale)) {
          [canvas.width, canvas.height] = [Math.round(wide * scale), Math.round(high * scale)];
          canvas.style.width = wide + "px";
          canvas.style.height = high + "px";
        }
        pen.setTransform(scale, 0, 0, scale, scale, scale);
        pen.clearRect(-1, -1, wide, high);
        pen.textAlign = "center";
        pen.textBaseline = "middle";
        const gap = side > 16 ? 1 : 0, thin = side < 13 ? 1 : 0, digits = side > 17;
        let font = 0;
        for (let row = 0; row < rows; row++) {
          for (let col = 0; col < cols; col++) {
            const value = values[row][col], left = col * side, top = row * side;
            const painted = value === null ? plain() : colour(value, row, col);
            pen.globalAlpha = dim ? dim(row, col) : 1;
            pen.fillStyle = painted.fill || theme.empty;
            if (side > 24) {
              pen.beginPath();
              pen.roundRect(left, top, side - 2, side - 2, 4);
              pen.fill();
            } else pen.fillRect(left, top, side - gap, side - gap);
            if (digits && write && value !== null) {
              const text = write(value, row, col);
              const size = Math.round(side * (text.length > 5 ? 0.24 : text.length > 3 ? 0.3 : 0.4));
              if (size !== font) pen.font = `500 ${(font = size)}px system-ui, sans-serif`;
              pen.fillStyle = painted.ink || theme.ink;
              pen.fillText(text, left + side / 2, top + side / 2 + 1);
            }
            if (cross && cross(row, col)) {
              pen.strokeStyle = COURSE.palette.negative;
              pen.lineWidth = 2;
              pen.beginPath();
              pen.moveTo(left + 5, top + side - 6);
              pen.lineTo(left + side - 6, top + 5);
              pen.stroke();
            }
          }
        }
        pen.globalAlpha = 1;
        for (const box of boxes) {
          const outline = [box.col * side, box.row * side, (box.cols || 1) * side - gap, (box.rows || 1) * side - gap];
          pen.setLineDash(box.dash ? [5, 4] : []);
          // A dark line under the colour: readable on every colour map and in both themes.
          for (const [line, stroke] of [[4.5, "rgba(20,24,34,.75)"], [2.5, box.colour || COURSE.palette.highlight]]) {
            pen.lineWidth = (box.dash ? line - 1 : line) - thin;
            pen.strokeStyle = stroke;
            pen.strokeRect(...outline);
          }
          pen.setLineDash([]);
        }
        const named = title || label;
        if (caption.textContent !== named) caption.textContent = named;
        const spoken = describe ? `${named}: ${describe}` : named;
        if (canvas.getAttribute("aria-label") !== spoken) canvas.setAttribute("aria-label", spoken);
      }
      return { panel: element("figure", { class: "ce-panel" }, caption, canvas), canvas, caption, paint };
    },

    // An editable field of numbers (rows x cols) bound to a field that holds nested lists.
    numberGrid({ field, label, rows, cols, low = -99, high = 99, colour = plain }) {
      const inputs = Array.from({ length: rows * cols }, (_, index) => {
        const [row, col] = [Math.floor(index / cols), index % cols];
        const input = element("input", {
          type: "number", min: low, max: high, step: "any", "aria-label": `${label}, row ${row + 1}, column ${col + 1}`,
          oninput: () => {
            const value = input.valueAsNumber;
            if (!(value >= low && value <= high)) return;
            set({ [field]: state[field].map((line, at) => (at === row ? line.map((old, place) => (place === col ? value : old)) : line)) });
          },
          onblur: redraw,
        });
        return input;
      });
      painters.push((now) => inputs.forEach((input, index) => {
        const value = now[field][Math.floor(index / cols)][index % cols], painted = colour(value);
        input.style.background = painted.fill;
        input.style.color = painted.ink;
        // Not while it is being typed in: "-" and "1." are on their way to a number.
        const typing = input.getRootNode().activeElement === input && (input.value === "" || input.valueAsNumber === value);
        if (!typing && input.valueAsNumber !== value) input.value = Math.round(value * 100) / 100;
      }));
      return element("figure", { class: "ce-panel" }, element("figcaption", {}, label),
        element("div", { class: "ce-numbers", style: `grid-template-columns: repeat(${cols}, 1fr)` }, inputs));
    },
  };

  function predictBox({ question, options, reveal }) {
    const id = unique();
    const guess = options
      ? valueOf(options, opening).map((option) => view.button(option, () => set({ prediction: option })))
      : [element("input", { type: "number", step: "any", id, onkeydown: (event) => event.key === "Enter" && commit() }),
        view.button("Commit", () => commit())];
    const commit = () => Number.isFinite(guess[0].valueAsNumber) && set({ prediction: guess[0].valueAsNumber });
    const ask = element("div", { class: "ce-row", role: "group", "aria-labelledby": id + "q" }, guess,
      element("button", { type: "button", class: "ce-quiet", onclick: () => set({ prediction: "skipped" }) }, "Skip"));
    const answer = element("p", { class: "ce-answer" });
    const again = element("button", { type: "button", class: "ce-quiet", onclick: () => set({ prediction: null }) }, "Ask me again");
    painters.push((now) => {
      const open = now.prediction === null;
      ask.hidden = !open;
      answer.hidden = again.hidden = open;
      const said = now.prediction === "skipped" ? "" : `You said ${typeof now.prediction === "number" ? show(now.prediction) : now.prediction}. `;
      answer.textContent = open ? "" : said + reveal(now.prediction, opening);
      box.classList.toggle("ce-asked", !open);
    });
    const box = element("div", { class: "ce-predict" },
      element(options ? "p" : "label", { id: id + "q", for: options ? null : id, class: "ce-question" },
        element("b", {}, "Predict first. "), valueOf(question, opening)), ask, answer, again);
    return box;
  }

  if (spec.predict) root.append(predictBox(spec.predict));
  root.append(stage, notes, controls, summary);
  spec.build(view);
  el.append(root);
  const resize = new ResizeObserver(([entry]) => {
    width = Math.round(entry.contentRect.width);
    // Also the first moment in the page: colours are unknown before.
    readTheme();
  });
  resize.observe(root);
  // JupyterLab marks its theme on <body>, the website on <html>; both repaint the canvas.
  const themes = new MutationObserver(() => requestAnimationFrame(readTheme));
  themes.observe(document.body, { attributes: true });
  themes.observe(document.documentElement, { attributes: true });
  model.on("change:state", takeFromPython);
  width = root.clientWidth || 800;
  redraw();
  return () => {
    if (saving) save();
    model.off("change:state", takeFromPython);
    for (const close of closers) close();
    resize.disconnect();
    themes.disconnect();
    cancelAnimationFrame(frame);
    clearTimeout(speaking);
    root.remove();
  };
}

const colourAt = (name, share) => pick({ DIVERGING, INTENSITY }[name], share).fill;

export { colourAt, localModel, show };
