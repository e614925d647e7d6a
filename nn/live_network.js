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
let units = [], edges = [], layout = null;
// Where the units stand: at(depth, k) is the middle of unit k, depth 0 those of the inputs.
function laidOut(width) {
  const columns = [nInputs, ...data.layers.map((layer) => layer.length)].map(shownOf);
  const most = Math.max(...columns.map((column) => column.length)), isDense = most > 9;
  const radius = isDense ? 14 : 18, pitch = 2 * radius + (isDense ? 4 : 12), height = Math.max(most * pitch + 12, 120);
  const apart = (width - 2 * radius - 12) / (columns.length - 1);
  const at = (depth, k) => [radius + 6 + depth * apart, height / 2 + pitch * (columns[depth].indexOf(k) - (columns[depth].length - 1) / 2)];
  return {columns, radius, width, height, at};
}
function buildNetwork() {
  const root = $("network");
  layout = laidOut(root.clientWidth);
  const {columns, width, height, at} = layout;
  root.replaceChildren();
  root.setAttribute("width", width);
  root.setAttribute("height", height);
  edges = builtEdges(svg("g", root));
  columns.forEach((column, d) => { if (column.includes(null)) svg("text", root, {x: at(d, null)[0], y: at(d, null)[1]}, "⋮"); });
  for (const k of columns[0]) if (k !== null) disc(svg("g", root, {class: "input"}), 0, k, inputName(k));
  units = builtUnits(root);
  root.onkeydown = onKey;
}
// A line for each weight, from border to border, for the discs may be see-through.
function builtEdges(parent) {
  const {columns, radius, at} = layout, found = [];
  for (let to = 0; to < nNeurons; to++) {
    const d = layerOf[to], k = placeOf[to];
    if (!columns[d + 1].includes(k)) continue;
    data.layers[d][k].w.forEach((w, j) => {
      if (!columns[d].includes(j)) return;
      const [x1, y1] = at(d, j), [x2, y2] = at(d + 1, k), share = radius / Math.hypot(x2 - x1, y2 - y1), [dx, dy] = [share * (x2 - x1), share * (y2 - y1)];
      const from = d ? firstOf(d - 1) + j : null, label = `${d ? name(from) : inputName(j)} to ${name(to)}`;
      found.push({w, ends: [from, to], line: svg("line", parent, {x1: x1 + dx, y1: y1 + dy, x2: x2 - dx, y2: y2 - dy, "data-label": label})});
    });
  }
  return found;
}
function builtUnits(parent) {
  const found = [];
  for (let i = 0; i < nNeurons; i++) {
    const d = layerOf[i], k = placeOf[i];
    if (!layout.columns[d + 1].includes(k)) continue;
    const group = svg("g", parent, {class: `unit ${kind} ${d === data.layers.length - 1 ? "output" : "hidden-layer"}`, role: "button", "data-label": name(i)});
    disc(group, d + 1, k, name(i));
    group.addEventListener("click", () => select(i));
    found.push({index: i, group});
  }
  return found;
}
function disc(parent, depth, k, text) {
  const [x, y] = layout.at(depth, k);
  svg("circle", parent, {cx: x, cy: y, r: layout.radius});
  svg("text", parent, {x, y}, layout.radius > 14 && text.length < 5 ? text : String(k));
}

// What each neuron computes over the plane, small, in its disc.
const EVERY = 4, SMALL = CELLS / EVERY;
const stamp = document.createElement("canvas");
stamp.width = stamp.height = SMALL;
function drawDiscs(fields) {
  const {radius, width, height, at} = layout, context = sized($("discs"), width, height), pen = stamp.getContext("2d");
  for (const {index} of units) {
    const field = fields[index], [x, y] = at(layerOf[index] + 1, placeOf[index]);
    const colourOf = shade(0, Math.max(...field.filter(Number.isFinite).map(Math.abs), 1e-300));
    paint(pen, SMALL, (i) => colourOf(field[EVERY * (Math.floor(i / SMALL) * CELLS + i % SMALL) + 1 + CELLS]));
    context.save();
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.clip();
    context.drawImage(stamp, x - radius, y - radius, 2 * radius, 2 * radius);
    context.restore();
  }
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
function drawNetwork(fields) {
  if (kind === "plane") drawDiscs(fields);
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
  $("widest").textContent = `(widest: ${pretty(widest)})${kind === "plane" ? "; discs: what each neuron computes over the plane" : ""}`;
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
