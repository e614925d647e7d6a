// The network: units to choose from, weights as width and colour.

const SHOWN = 14;  // neurons of a layer; of more, the first and the last
const several = data.layers.length > 2;
const layerOf = [], placeOf = [];  // of each neuron, counted through all layers
data.layers.forEach((layer, depth) => layer.forEach((_, k) => { layerOf.push(depth); placeOf.push(k); }));
function name(index) {
  const depth = layerOf[index];
  return depth === data.layers.length - 1 ? `y_${placeOf[index]}` : `h${several ? depth + 1 : ""}_${placeOf[index]}`;
}
const inputName = (j) => `x_${j}`;
const activationOf = (index) => {
  const last = data.layers.length - 1, depth = layerOf[index], given = data.layers[depth][placeOf[index]].activation;
  return state.choice === 0 || (depth === last && last > 0) ? given : data.choices[state.choice];
};
const firstOf = (depth) => layerOf.indexOf(depth);

function svg(tag, parent, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.appendChild(made);
  return made;
}
// The places of a column that are shown; null stands for those left out.
function shownOf(count) {
  const all = Array.from({length: count}, (_, k) => k), half = Math.floor(SHOWN / 2);
  return count <= SHOWN ? all : [...all.slice(0, half), null, ...all.slice(half - SHOWN + 1)];
}
let units = [], edges = [];
function buildNetwork() {
  const root = $("network"), width = root.clientWidth, columns = [nInputs, ...data.layers.map((layer) => layer.length)].map(shownOf);
  const most = Math.max(...columns.map((column) => column.length)), radius = most > 9 ? 13 : 17, pitch = 2 * radius + (most > 9 ? 5 : 14);
  const height = Math.max(most * pitch + 12, 120);
  root.replaceChildren();
  root.setAttribute("width", width);
  root.setAttribute("height", height);
  units = [];
  edges = [];
  const at = (depth, k) => [radius + 6 + depth * (width - 2 * radius - 12) / (columns.length - 1), height / 2 + pitch * (columns[depth].indexOf(k) - (columns[depth].length - 1) / 2)];
  const lines = svg("g", root);
  let index = 0;
  data.layers.forEach((layer, d) => layer.forEach((neuron, k) => {
    if (columns[d + 1].includes(k)) neuron.w.forEach((w, j) => {
      if (!columns[d].includes(j)) return;
      const [x1, y1] = at(d, j), [x2, y2] = at(d + 1, k);
      const from = d ? firstOf(d - 1) + j : null, label = `${d ? name(from) : inputName(j)} to ${name(index)}`;
      edges.push({w, ends: [from, index], line: svg("line", lines, {x1, y1, x2, y2, "data-label": label})});
    });
    index++;
  }));
  columns.forEach((column, d) => {
    if (column.includes(null)) {
      const [x, y] = at(d, null);
      svg("text", root, {x, y}, "⋮");
    }
  });
  const circle = (parent, depth, k, text) => {
    const [cx, cy] = at(depth, k);
    svg("circle", parent, {cx, cy, r: radius});
    if (radius > 14 && text.length < 5) svg("text", parent, {x: cx, y: cy}, text);
    else svg("text", parent, {x: cx, y: cy}, String(k));
  };
  columns[0].filter((k) => k !== null).forEach((k) => circle(svg("g", root, {class: "input"}), 0, k, inputName(k)));
  for (let i = 0; i < nNeurons; i++) {
    if (!columns[layerOf[i] + 1].includes(placeOf[i])) continue;
    const group = svg("g", root, {class: `unit ${layerOf[i] === data.layers.length - 1 ? "output" : "hidden-layer"}`, role: "button", "data-label": name(i)});
    circle(group, layerOf[i] + 1, placeOf[i], name(i));
    group.addEventListener("click", () => select(i));
    units.push({index: i, group});
  }
  root.onkeydown = onKey;
}
function select(index, focus = false) {
  state.selected = index;
  draw();
  if (focus) units.find((unit) => unit.index === index).group.focus();
}
// Arrow keys: up and down within a layer, left and right to the next one.
function onKey(event) {
  const here = state.selected, layer = units.filter((unit) => layerOf[unit.index] === layerOf[here]);
  const by = {ArrowUp: -1, ArrowDown: 1}[event.key], depth = layerOf[here] + ({ArrowLeft: -1, ArrowRight: 1}[event.key] ?? 0);
  let next = null;
  if (by) next = layer[layer.findIndex((unit) => unit.index === here) + by];
  else if (depth !== layerOf[here]) {
    const other = units.filter((unit) => layerOf[unit.index] === depth);
    next = other[Math.min(other.length - 1, layer.findIndex((unit) => unit.index === here))];
  } else if (event.key === "Enter" || event.key === " ") next = units.find((unit) => unit.group === document.activeElement);
  else return;
  event.preventDefault();
  if (next) select(next.index, true);
}
function drawNetwork() {
  const crowded = edges.length > 60, most = crowded ? 3.2 : 4.6;
  const widest = edges.reduce((most, {w}) => Math.max(most, Math.abs(state.numbers[w])), 0);
  for (const {w, line, ends} of edges) {
    const weight = state.numbers[w];
    line.setAttribute("stroke", colour(weight < 0 ? "var(--negative)" : weight > 0 ? "var(--positive)" : "var(--aside)"));
    line.setAttribute("stroke-width", (0.4 + (Number.isFinite(weight) && widest ? most * Math.abs(weight) / widest : 0)).toFixed(2));
    line.setAttribute("stroke-opacity", crowded && !ends.includes(state.selected) ? 0.4 : 1);
    line.setAttribute("data-weight", written(weight));
  }
  for (const {index, group} of units) {
    group.setAttribute("aria-pressed", index === state.selected);
    group.setAttribute("tabindex", index === state.selected ? 0 : -1);
    group.setAttribute("aria-label", `neuron ${name(index)}, ${activationOf(index)}`);
  }
  $("widest").textContent = `(widest: ${pretty(widest)})`;
}
// The neuron as a formula, in its numbers.
function formula(index) {
  const depth = layerOf[index], {w, b} = data.layers[depth][placeOf[index]];
  const terms = w.map((place, j) => [state.numbers[place], `·${depth ? name(firstOf(depth - 1) + j) : inputName(j)}`]);
  const listed = terms.length > 4 ? [...terms.slice(0, 3), null, terms[terms.length - 1]] : terms;
  if (b !== null) listed.push([state.numbers[b], ""]);
  const text = listed.map((term, i) => term === null ? " + …" : `${term[0] < 0 ? i ? " − " : "−" : i ? " + " : ""}${shown(Math.abs(term[0]))}${term[1]}`).join("");
  const activation = activationOf(index);
  return `${name(index)} = ${activation === "linear" ? text : `${activation}(${text})`}`;
}
