// Sets of which one member is chosen; this file follows kernel_backed.js where a viewer needs it.
//
//   gallery(view, {label, field, side})  -> {panel, paint({array, colours, chosen, first})}: one of many small pictures
//   bars(view, {label, field})           -> {panel, paint({entries: [{name, value}], chosen})}: one of several numbers
//   signedBar(value, limit, expected)    -> a bar from zero

// One radio button for each of `items` nodes: the arrow keys walk through them, Tab passes by.
function chooser(view, field, label, kind) {
  const name = "ce" + Math.random().toString(36).slice(2), all = [];
  const panel = element("fieldset", { class: "ce-chooser " + kind }, element("legend", {}, label));
  return { panel, show(count, chosen, first, paint) {
    while (all.length < count) {
      const at = all.length, input = element("input", { type: "radio", name, onchange: () => view.set({ [field]: all[at].value }) });
      const item = { input, node: element("label", {}, input) };
      all.push(item);
      panel.append(item.node);
    }
    all.forEach((item, at) => {
      item.node.hidden = at >= count;
      if (at >= count) return;
      item.value = first + at;
      item.input.checked = item.value === chosen;
      paint(item, at);
    });
  } };
}

function gallery(view, { label, field, side = 56 }) {
  const choices = chooser(view, field, label, "ce-gallery");
  return { panel: choices.panel, paint({ array, colours, chosen, first = 0 }) {
    choices.show(array.shape[0], chosen, first, (item, at) => {
      if (!item.canvas) item.node.append((item.canvas = element("canvas", { "aria-hidden": "true" })), (item.text = element("small")));
      paintPixels(item.canvas, part(array, at), colours, side);
      item.text.textContent = first + at;
    });
  } };
}

// A bar from zero, to the left magenta, to the right teal; the tick is what it should be.
function signedBar(value, limit, expected) {
  const place = (number) => 50 + (50 * Math.max(-limit, Math.min(limit, number))) / (limit || 1), end = place(value);
  return element("span", { class: "ce-bar", "aria-hidden": "true" },
    element("i", { class: value < 0 ? "ce-minus" : "ce-plus", style: `left:${Math.min(50, end)}%;width:${Math.abs(end - 50)}%` }),
    element("i", { class: "ce-zero" }),
    expected == null ? [] : element("i", { class: "ce-tick", style: `left:${place(expected)}%` }));
}

function bars(view, { label, field }) {
  const choices = chooser(view, field, label, "ce-bars");
  return { panel: choices.panel, paint({ entries, chosen }) {
    const limit = Math.max(...entries.map((entry) => Math.abs(entry.value)));
    choices.show(entries.length, chosen, 0, (item, at) => {
      const { name, value } = entries[at];
      item.node.replaceChildren(item.input, element("span", {}, name), signedBar(value, limit), element("b", {}, number(value)));
    });
  } };
}
