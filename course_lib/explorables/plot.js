// Labelled axes for explorables: curves, points, bands, bars, fields. Goes between kit.js and the explorable's own
// file: shared_scripts = ("kit", "plot").
//
//   const picture = axesPicture(view, {label, x, y, wide = 420, high = 270, pick, walk});
//     x, y: {label, low, high, log = false, ticks}   ticks: [[value, text], ...] instead of the usual ones
//     pick(x, y, first)   called while the pointer is down, in units of the axes; first: at its first touch
//     walk(dx, dy)        called at arrow keys with steps -1, 0, 1; makes the picture reachable by Tab
//   view.stage(picture.panel);
//   view.draw((state) => picture.paint({layers, x, y, title, describe}));   x, y: what changes of the axes
//
// layers, the first below the others; a `name` enters the legend; `dim` (0 to 1) is the opacity:
//   {line: [[x, y], ...], colour, dash: [4, 3], width: 2}          a null in the list interrupts the line
//   {points: [[x, y], ...], colour, size: 4, shape: "circle" | "square" | "cross" | "triangle"}
//       colour may be a function (index) => colour
//   {band: [[x, lowest, highest], ...], colour}
//   {bars: [[x, y], ...], width, colour}                            from zero; width in units of x
//   {field: rows of numbers, colour: (value) => {fill}, box: [x low, y low, x high, y high]}   first row lowest
//   {vertical: x} or {horizontal: y}, with colour, dash
//   {arrow: [[x, y], [x, y]], colour}
//   {text: "...", at: [x, y], colour, align: "left" | "center" | "right"}

// Round values between low and high: about `count` of them.
function roundTicks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index++) ticks.push(index * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return ticks.map((value) => {
    const large = Math.abs(value) >= 1e5, text = large ? value.toExponential(0).replace("e+", "e") : value.toFixed(Math.min(digits, 6));
    return [value, text.replace("-", "−").replace(/^−(0(\.0*)?)$/, "$1")];
  });
}

function decadeTicks(low, high) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const stride = Math.max(1, Math.ceil((last - first) / 6));
  const raised = (power) => String(power).replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]));
  const plainText = (power) => (power >= -2 && power <= 3 ? String(Number((10 ** power).toFixed(2))) : "10" + raised(power));
  const ticks = [];
  for (let power = first; power <= last; power += stride) ticks.push([10 ** power, plainText(power)]);
  return ticks;
}

function axesPicture(view, { label, x: firstX = {}, y: firstY = {}, wide = 420, high = 270, pick: picked, walk }) {
  const canvas = element("canvas", { role: "img", "aria-label": label, tabindex: walk ? 0 : null });
  const caption = element("figcaption", {}, label), legend = element("div", { class: "ce-legend", "aria-hidden": "true" });
  const pen = canvas.getContext("2d");
  const frame = { left: 52, top: 8, right: 0, bottom: 0 };
  let xAxis = firstX, yAxis = firstY, legendKey = "";
  const share = (axis, value) => (axis.log
    ? (Math.log(Math.max(value, axis.low * 1e-6)) - Math.log(axis.low)) / (Math.log(axis.high) - Math.log(axis.low))
    : (value - axis.low) / (axis.high - axis.low));
  const valueAt = (axis, part) => (axis.log ? axis.low * (axis.high / axis.low) ** part : axis.low + part * (axis.high - axis.low));
  // Far outside the axes the canvas itself would lose its precision.
  const bounded = (part) => Math.max(-9, Math.min(10, part));
  const toX = (value) => frame.left + bounded(share(xAxis, value)) * (frame.right - frame.left);
  const toY = (value) => frame.bottom - bounded(share(yAxis, value)) * (frame.bottom - frame.top);

  if (picked) {
    canvas.classList.add("ce-picked");
    const report = (first) => (event) => {
      if (!event.buttons) return;
      if (first) canvas.setPointerCapture(event.pointerId);
      const box = canvas.getBoundingClientRect(), zoom = box.width / canvas.clientWidth || 1;
      const across = ((event.clientX - box.left) / zoom - frame.left) / (frame.right - frame.left);
      const up = (frame.bottom - (event.clientY - box.top) / zoom) / (frame.bottom - frame.top);
      const inside = (part) => Math.max(0, Math.min(1, part));
      picked(valueAt(xAxis, inside(across)), valueAt(yAxis, inside(up)), first);
    };
    canvas.addEventListener("pointerdown", report(true));
    canvas.addEventListener("pointermove", report(false));
  }
  if (walk) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    canvas.addEventListener("keydown", (event) => {
      if (!steps[event.key]) return;
      event.preventDefault();
      walk(...steps[event.key]);
    });
  }

  function stroke(points, colour, width, dash = []) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    let begun = false;
    for (const point of points) {
      if (point === null || !Number.isFinite(point[1])) begun = false;
      else {
        pen[begun ? "lineTo" : "moveTo"](toX(point[0]), toY(point[1]));
        begun = true;
      }
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  function mark(x, y, shape, size) {
    pen.beginPath();
    if (shape === "square") pen.rect(x - size, y - size, 2 * size, 2 * size);
    else if (shape === "triangle") [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]].forEach(([a, b], at) => pen[at ? "lineTo" : "moveTo"](x + a * size, y + b * size));
    else if (shape === "cross") [[-1, -1], [1, 1], [-1, 1], [1, -1]].forEach(([a, b], at) => pen[at % 2 ? "lineTo" : "moveTo"](x + a * size, y + b * size));
    else pen.arc(x, y, size, 0, 7);
    if (shape === "cross") pen.stroke();
    else { pen.closePath(); pen.fill(); }
  }

  const drawing = {
    line: ({ line, width = 2, dash }, colour) => stroke(line, colour, width, dash),
    vertical: ({ vertical, width = 1.5, dash }, colour) => stroke([[vertical, yAxis.low], [vertical, yAxis.high]], colour, width, dash),
    horizontal: ({ horizontal, width = 1.5, dash }, colour) => stroke([[xAxis.low, horizontal], [xAxis.high, horizontal]], colour, width, dash),
    points({ points, size = 4, shape, colour: given }, colour) {
      points.forEach(([x, y], index) => {
        pen.fillStyle = pen.strokeStyle = typeof given === "function" ? given(index) : colour;
        pen.lineWidth = 2;
        mark(toX(x), toY(y), shape, size);
      });
    },
    band({ band }, colour) {
      pen.fillStyle = colour;
      pen.beginPath();
      band.forEach(([x, low], at) => pen[at ? "lineTo" : "moveTo"](toX(x), toY(low)));
      [...band].reverse().forEach(([x, , top]) => pen.lineTo(toX(x), toY(top)));
      pen.closePath();
      pen.fill();
    },
    bars({ bars, width, colour: given }, colour) {
      bars.forEach(([x, y], index) => {
        pen.fillStyle = typeof given === "function" ? given(index) : colour;
        const foot = toY(yAxis.log ? yAxis.low : 0), tip = toY(y), left = toX(x - width / 2);
        pen.fillRect(left, Math.min(foot, tip), Math.max(1, toX(x + width / 2) - left), Math.abs(tip - foot));
      });
    },
    field({ field, colour: paint, box = [xAxis.low, yAxis.low, xAxis.high, yAxis.high] }) {
      const [left, bottom, right, top] = [toX(box[0]), toY(box[1]), toX(box[2]), toY(box[3])];
      // Edges on whole pixels of the screen: neither gaps nor, in a transparent field, darker seams between the cells.
      const scale = devicePixelRatio || 1;
      const edges = (from, to, n) => Array.from({ length: n + 1 }, (_, at) => Math.round((from + ((to - from) * at) / n) * scale) / scale);
      const across = edges(left, right, field[0].length), up = edges(bottom, top, field.length);
      field.forEach((row, at) => row.forEach((value, place) => {
        pen.fillStyle = paint(value).fill;
        pen.fillRect(across[place], up[at + 1], across[place + 1] - across[place], up[at] - up[at + 1]);
      }));
    },
    arrow({ arrow: [from, to], width = 2 }, colour) {
      const [ax, ay, bx, by] = [toX(from[0]), toY(from[1]), toX(to[0]), toY(to[1])];
      const angle = Math.atan2(by - ay, bx - ax), length = Math.hypot(bx - ax, by - ay);
      stroke([from, to], colour, width);
      if (length < 2) return;
      const head = Math.min(9, length);
      pen.fillStyle = colour;
      pen.beginPath();
      pen.moveTo(bx, by);
      for (const turn of [0.45, -0.45]) pen.lineTo(bx - head * Math.cos(angle + turn), by - head * Math.sin(angle + turn));
      pen.fill();
    },
    text({ text, at, align = "left" }, colour) {
      pen.font = "600 12px system-ui, sans-serif";
      pen.textAlign = align;
      pen.textBaseline = "middle";
      pen.fillStyle = colour;
      pen.fillText(text, toX(at[0]), toY(at[1]));
    },
  };

  const ticksOf = (axis, room) => axis.ticks || (axis.log ? decadeTicks(axis.low, axis.high) : roundTicks(axis.low, axis.high, room));

  function drawAxis(axis, horizontal, theme) {
    const ticks = ticksOf(axis, horizontal ? (frame.right - frame.left) / 62 : (frame.bottom - frame.top) / 42);
    pen.font = "11.5px system-ui, sans-serif";
    pen.fillStyle = theme.muted;
    pen.textAlign = horizontal ? "center" : "right";
    pen.textBaseline = horizontal ? "top" : "middle";
    for (const [value, text] of ticks) {
      const place = horizontal ? toX(value) : toY(value);
      pen.fillRect(horizontal ? place - 0.5 : frame.left - 5, horizontal ? frame.bottom : place - 0.5, horizontal ? 1 : 5, horizontal ? 5 : 1);
      pen.fillText(text, horizontal ? place : frame.left - 8, horizontal ? frame.bottom + 8 : place);
    }
    pen.fillStyle = theme.ink;
    pen.font = "12.5px system-ui, sans-serif";
    if (horizontal) {
      pen.textAlign = "center";
      pen.fillText(axis.label || "", (frame.left + frame.right) / 2, frame.bottom + 25);
    } else {
      pen.save();
      pen.translate(11, (frame.top + frame.bottom) / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText(axis.label || "", 0, 0);
      pen.restore();
    }
  }

  // The outlines of the shapes of `mark`, for the legend.
  const OUTLINES = {
    triangle: "polygon(50% 0, 100% 100%, 0 100%)",
    cross: "polygon(15% 0, 50% 35%, 85% 0, 100% 15%, 65% 50%, 100% 85%, 85% 100%, 50% 65%, 15% 100%, 0 85%, 35% 50%, 0 15%)",
    square: "none",
  };

  function writeLegend(layers) {
    const named = layers.filter((layer) => layer.name);
    const key = JSON.stringify(named.map(({ name, colour, dash, line, shape }) => [name, typeof colour === "string" && colour, dash, Boolean(line), shape]));
    if (key === legendKey) return;
    legendKey = key;
    legend.hidden = named.length === 0;
    legend.replaceChildren(...named.map((layer) => {
      const colour = typeof layer.colour === "string" ? layer.colour : "currentColor";
      const thin = layer.line || layer.vertical !== undefined || layer.horizontal !== undefined;
      const style = thin
        ? `width:20px;height:0;border-top:3px ${layer.dash?.length ? "dashed" : "solid"} ${colour}`
        : `width:11px;height:11px;background:${colour};opacity:${layer.dim || 1};`
          + (layer.points ? `clip-path:${OUTLINES[layer.shape] || "circle()"}` : "border-radius:2px");
      return element("span", {}, element("i", { style }), layer.name);
    }));
  }

  function paint({ layers, x = {}, y = {}, title, describe }) {
    [xAxis, yAxis] = [{ ...firstX, ...x }, { ...firstY, ...y }];
    const room = (canvas.closest(".ce-stage") || canvas.parentNode || {}).clientWidth || wide;
    const width = Math.min(wide, Math.max(220, room - 4)), scale = devicePixelRatio || 1, theme = view.theme;
    [frame.right, frame.bottom] = [width - 14, high - 44];
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(high * scale)) {
      [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(high * scale)];
      canvas.style.width = width + "px";
      canvas.style.height = high + "px";
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, high);
    // Room for the numbers of the vertical axis, whose width changes with their digits.
    pen.font = "11.5px system-ui, sans-serif";
    const widest = Math.max(0, ...ticksOf(yAxis, (frame.bottom - frame.top) / 42).map(([, text]) => pen.measureText(text).width));
    frame.left = Math.max(46, Math.ceil(widest) + 30);
    pen.save();
    pen.beginPath();
    pen.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
    pen.clip();
    for (const layer of layers) {
      const kind = Object.keys(drawing).find((name) => layer[name] !== undefined);
      pen.globalAlpha = layer.dim ?? 1;
      drawing[kind](layer, typeof layer.colour === "string" ? layer.colour : theme.ink);
    }
    pen.restore();
    pen.globalAlpha = 1;
    pen.fillStyle = theme.muted;
    pen.fillRect(frame.left - 0.5, frame.top, 1, frame.bottom - frame.top);
    pen.fillRect(frame.left, frame.bottom - 0.5, frame.right - frame.left, 1);
    drawAxis(xAxis, true, theme);
    drawAxis(yAxis, false, theme);
    writeLegend(layers);
    const named = title || label;
    if (caption.textContent !== named) caption.textContent = named;
    const spoken = describe ? `${named}: ${describe}` : named;
    if (canvas.getAttribute("aria-label") !== spoken) canvas.setAttribute("aria-label", spoken);
  }

  return { panel: element("figure", { class: "ce-panel" }, caption, canvas, legend), canvas, paint };
}
