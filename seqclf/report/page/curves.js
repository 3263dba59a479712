// Figures whose curves can be read: a place at a time, by pointer or by keyboard, and each
// curve shown or hidden. The figures bring what is said; without this they are pictures.

// The places of a panel, from left to right, each once.
function placesOf(panel) {
  const all = Object.values(panel.curves).flat().map(([x, where]) => ({ panel, x, where }));
  all.sort((a, b) => a.x - b.x);
  return all.filter(({ where }, i) => !i || where !== all[i - 1].where);
}

function nearest(places, x) {
  return places.reduce((best, one) => (Math.abs(one[0] - x) < Math.abs(best[0] - x) ? one : best));
}

function saidAt({ panel, x, where }, hidden) {
  const curves = Object.entries(panel.curves).filter(([name]) => !hidden.has(name));
  const parts = curves.map(([name, places]) => {
    const [, own, said] = nearest(places, x);
    return own === where ? `${name} ${said}` : `${name} ${said} at ${own}`;
  });
  const title = panel.title ? `${panel.title}; ` : "";
  const brackets = panel.brackets ? ` In brackets: ${panel.brackets}.` : "";
  const said = parts.join("; ") || "no curve is shown";
  return `${title}${panel.x}: ${where}. ${panel.y}: ${said}.${brackets}`;
}

// Where an event is, in the units of the drawing.
function placeIn(svg, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

function distanceTo({ box: [left, top, right, bottom] }, { x, y }) {
  const across = Math.max(left - x, 0, x - right), down = Math.max(top - y, 0, y - bottom);
  return across + down;
}

function makeReadable(svg) {
  const panels = JSON.parse(svg.dataset.curves);
  const places = panels.flatMap(placesOf);
  const names = [...new Set(panels.flatMap(({ curves }) => Object.keys(curves)))];
  const hidden = new Set();
  const cursor = drawn("path", { class: "place" });
  const slider = make("input", { type: "range", min: 0, max: places.length - 1, value: 0,
    "aria-label": "Place on the curves" });
  const output = make("output", { "aria-live": "polite" });

  function read() {
    const place = places[slider.value];
    const [, top, , bottom] = place.panel.box;
    cursor.setAttribute("d", `M${place.x} ${top}V${bottom}`);
    svg.append(cursor);
    output.textContent = saidAt(place, hidden);
    slider.setAttribute("aria-valuetext", `${place.panel.title} ${place.panel.x}: ${place.where}`);
  }

  function switchOf(name) {
    const box = make("input", { type: "checkbox", checked: "" });
    box.addEventListener("change", () => {
      hidden[box.checked ? "delete" : "add"](name);
      for (const one of svg.querySelectorAll("[data-curve]"))
        if (one.dataset.curve === name) one.classList.toggle("off", !box.checked);
      read();
    });
    return make("label", {}, box, ` ${name}`);
  }

  svg.addEventListener("pointermove", (event) => {
    const at = placeIn(svg, event);
    const panel = panels.reduce((a, b) => (distanceTo(b, at) < distanceTo(a, at) ? b : a));
    const own = places.filter((place) => place.panel === panel);
    const best = own.reduce((a, b) => (Math.abs(b.x - at.x) < Math.abs(a.x - at.x) ? b : a));
    slider.value = places.indexOf(best);
    read();
  });
  slider.addEventListener("input", () => {
    read();
    // On a narrow screen the figure is wider than what is seen of it.
    const [seen, share] = [svg.parentElement, places[slider.value].x / svg.viewBox.baseVal.width];
    seen.scrollLeft = share * svg.clientWidth - seen.clientWidth / 2;
  });
  output.textContent = "Point at the curves, or move the slider, to read their values.";
  svg.closest("figure").append(make("div", { class: "reading" },
    make("p", { class: "filters" }, ...names.map(switchOf)), slider, output));
}

for (const svg of document.querySelectorAll("svg[data-curves]")) makeReadable(svg);
