"use strict";
// Sorting: a click on a header orders its table, a second one turns the order round.
function valueOf(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text.replace(/−/g, "-").replace(/,/g, "").replace(/^< /, ""));
  return Number.isNaN(number) ? text : number;
}
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b);
}
function sort(table, header, column) {
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column)) * (down ? -1 : 1));
  body.append(...rows);
}
for (const table of document.querySelectorAll("table")) {
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(table, header, column));
    header.append(button);
  });
}
// Filters: what is shown fits all of the fields that belong to a list.
function fits(element, key, wanted) {
  if (key === "text") return element.textContent.toLowerCase().includes(wanted.toLowerCase());
  return wanted === "" || element.dataset[key] === wanted;
}
function filter(list) {
  const fields = Array.from(document.querySelectorAll(`[data-filters="${list}"]`));
  const target = document.getElementById(list);
  const elements = target.tBodies ? target.tBodies[0].rows : target.children;
  let shown = 0;
  for (const element of elements) {
    element.hidden = !fields.every((field) => fits(element, field.dataset.key, field.value));
    shown += element.hidden ? 0 : 1;
  }
  const told = document.querySelector(`output[for="${list}"]`);
  if (told) told.textContent = `${shown} of ${elements.length} shown`;
}
for (const field of document.querySelectorAll("[data-filters]")) {
  for (const event of ["input", "change"]) {
    field.addEventListener(event, () => filter(field.dataset.filters));
  }
}
