// Elements of a page.

function make(name, attributes = {}, ...children) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
}

function drawn(name, attributes, ...children) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
}

// How a line is drawn, beside its name; of { colour, dash }.
function sample(line) {
  const path = drawn("path", { class: "twin", d: "M0 5H34", "stroke-dasharray": line.dash });
  const svg = drawn("svg", { viewBox: "0 0 34 10", "aria-hidden": "true" }, path);
  path.style.setProperty("--cell", line.colour);
  return svg;
}
