// Draws the figures of a page when they come into view, and makes its explorables live without a kernel.

const place = new URL(".", import.meta.url);

function whenSeen(node, act) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    act();
  }, { rootMargin: "400px" });
  observer.observe(node);
}

const content = (node) => JSON.parse(node.querySelector("script").textContent);

let plotly;
// 4.8 MB: only on pages that have a figure, and only once one comes near.
const loadPlotly = () => (plotly ??= new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.src = new URL("plotly.min.js", place);
  script.onload = () => resolve(window.Plotly);
  script.onerror = () => reject(new Error("plotly.min.js could not be loaded"));
  document.head.append(script);
}));

for (const node of document.querySelectorAll(".course-figure")) {
  whenSeen(node, async () => {
    const { data, layout, config } = content(node);
    const Plotly = await loadPlotly();
    node.querySelector("p")?.remove();
    await Plotly.newPlot(node, data, { autosize: true, ...layout, width: undefined }, { ...config, responsive: true });
    node.dataset.drawn = "true";
  });
}

for (const node of document.querySelectorAll(".course-live")) {
  whenSeen(node, async () => {
    const module = await import(new URL(`explorables/${node.dataset.name}.js`, place));
    node.querySelector("p")?.remove();
    module.default.render({ model: module.localModel(content(node)), el: node });
    node.dataset.drawn = "true";
  });
}

// Sphinx gives the captions of the table of contents the role of a heading, but no level.
for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.setAttribute("aria-level", "2");

// Tables and outputs wider than the page scroll; a keyboard must be able to scroll them too.
for (const box of document.querySelectorAll("div.highlight pre, .table-wrapper, .cell_output .output")) {
  if (box.scrollWidth > box.clientWidth) {
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "scrolls sideways");
  }
}
