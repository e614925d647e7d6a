const two = data.labels.length === 2, names = data.labels;
const state = {start: [...data.start], rate: data.rate, step: Infinity, zoom: 1, timer: 0, turn: -0.6, tilt: 0.5};
const still = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
let path, view;

// --- f ------------------------------------------------------------------------------------------

// f and its gradient at a point, or the fault that keeps them from being known; never a guess.
function at(point) {
  for (let i = 0; i < programs.length; i++) {
    const branch = data.branches[i], y = programs[i]([...point, ...branch.captured]);
    if (y.guard !== -1) continue;
    if (y.outside !== -1) return {point, fault: "domain", op: branch.ops[y.outside]};
    const numbers = branch.outputs.map(output => "place" in output ? y[output.place] : output.number);
    return {point, value: numbers[0], gradient: numbers.slice(1), branch: i};
  }
  return {point, fault: "branch"};
}

// The path as autograd.descend takes it: the stops, why it ends, and the point that was next.
function walk() {
  const stops = [], {start, rate} = state, farthest = data.farthest * Math.max(1, ...start.map(Math.abs));
  for (let point = start; ; ) {
    if (!point.every(x => Math.abs(x) <= farthest)) return {stops, reason: "diverged", next: point};
    const stop = at(point);
    if (stop.fault) return {stops, reason: stop.fault, next: point, op: stop.op};
    if (!(Math.abs(stop.value) <= data.highest) || !stop.gradient.every(Number.isFinite)) {
      return {stops, reason: "diverged", next: point, value: stop.value};
    }
    stops.push(stop);
    const before = stops.length > 1 && stops[stops.length - 2].point;
    if (before && point.every((x, i) => Math.abs(x - before[i]) <= data.precision)) return {stops, reason: "precision"};
    if (stops.length > data.steps) return {stops, reason: "steps", rises: isRising(stops.map(each => each.value))};
    point = point.map((x, i) => x - rate * stop.gradient[i]);
  }
}

// Whether the values end higher than they ever were, as Path.rises has it.
function isRising(values) {
  const last = values[values.length - 1], largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return last - values[0] > data.rounding * largest && values.every(value => value <= last);
}

// --- words --------------------------------------------------------------------------------------

// Six significant digits.
function brief(x) {
  if (!Number.isFinite(x)) return written(x);
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return withPowersOfTen(x.toExponential(4)).replace(/\.?0+e/, "e").replaceAll("-", "\u2212");
  return String(Number(x.toPrecision(6))).replace("-", "\u2212");
}
function place(point) {
  return point.map((x, i) => `${names[i]} = ${brief(x)}`).join(", ");
}
function slopeName(i) {
  return two ? `\u2202f/\u2202${names[i]}` : "f\u2032";
}
function outcome() {
  const count = path.stops.length - 1, steps = `${count} step${count === 1 ? "" : "s"}`;
  const end = path.stops[count];
  if (!end) return path.reason === "diverged" ? `f or its slope is not finite at ${place(path.next)}; start elsewhere.` : `Cannot start at ${place(path.next)}: ${why()}.`;
  if (path.reason === "precision") return `Converged after ${steps}: at ${place(end.point)} a step moves no farther than ${brief(data.precision)}.`;
  if (path.reason === "steps") {
    const before = path.stops[count - 1].point, moved = Math.max(...end.point.map((x, i) => Math.abs(x - before[i])));
    if (path.rises) return `Diverges: after ${steps} f is higher than it ever was, and a step moves by ${brief(moved)}. Try a smaller rate.`;
    return `Not there yet: after ${steps} a step still moves by ${brief(moved)}${end.value > path.stops[0].value ? ", and f has risen" : ""}.`;
  }
  if (path.reason === "diverged") return `Diverges: it has been thrown to ${place(end.point)} after ${steps}, and the next would be beyond all bounds. Try a smaller rate.`;
  return `Stops after ${steps}: the next point would be ${place(path.next)}, where ${why()}.`;
}
function why() {
  if (path.reason !== "domain") return "f is not defined, or takes a branch that this page has not recorded";
  const needs = data.domains[path.op];
  return `${path.op} is not defined${needs ? `: it needs ${needs}` : ""}`;
}

// --- the picture --------------------------------------------------------------------------------

// The ranges as given, widened for the start and for a path that leaves them, within reason.
function ranges() {
  return data.ranges.map(([low, high], i) => {
    const middle = (low + high) / 2;
    let least = Math.min(low, state.start[i]), most = Math.max(high, state.start[i]);
    for (const {point} of path.stops) {
      if (point.every((x, j) => Math.abs(x - (data.ranges[j][0] + data.ranges[j][1]) / 2) <= 4 * (data.ranges[j][1] - data.ranges[j][0]))) {
        least = Math.min(least, point[i]);
        most = Math.max(most, point[i]);
      }
    }
    const room = 0.06 * (most - least);
    if (least < low) least -= room;
    if (most > high) most += room;
    return [middle + (least - middle) * state.zoom, middle + (most - middle) * state.zoom];
  });
}
// The range of heights worth showing: all of them, or without the outermost where they hide the rest.
function heights(values, others) {
  const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!finite.length) return [-1, 1];
  const part = share => finite[Math.round(share * (finite.length - 1))];
  let low = part(0), high = part(1);
  const middle = part(0.9) - part(0.1);
  if (high - part(0.9) > 15 * middle) high = part(0.9) + 2 * middle;
  if (part(0.1) - low > 15 * middle) low = part(0.1) - 2 * middle;
  const within = others.filter(x => Math.abs(x - (low + high) / 2) <= 3 * (high - low));
  low = Math.min(low, ...within); high = Math.max(high, ...within);
  const pad = 0.06 * (high - low) || Math.max(1, Math.abs(low)) * 0.5;
  return [low - pad, high + pad];
}
function ticks([low, high], count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(x => x * power).find(x => x >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(Math.abs(i * step) < step / 1e6 ? 0 : i * step);
  return found;
}
function drawn(tag, attributes, text, parent = $("picture")) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}
// Where the picture lies in its element, and how numbers become pixels.
function layOut() {
  const svg = $("picture"), width = Math.max(280, svg.parentElement.clientWidth);
  const height = Math.round(Math.min(two ? 0.85 * width : 0.56 * width + 80, 480));
  const sides = ranges();
  view = {width, height, sides, left: 58, right: width - 12, top: 12, bottom: height - 40};
  if (!two) {
    view.samples = [];
    const count = Math.round((view.right - view.left) / 1.5), [low, high] = sides[0];
    for (let i = 0; i <= count; i++) view.samples.push(at([low + (high - low) * i / count]));
    view.up = heights(view.samples.map(stop => stop.fault ? NaN : stop.value), path.stops.filter(stop => inside(stop.point)).map(stop => stop.value));
  } else {
    view.up = sides[1];
    sampleGrid();
  }
  view.x = x => view.left + (x - sides[0][0]) / (sides[0][1] - sides[0][0]) * (view.right - view.left);
  view.y = y => view.bottom - (y - view.up[0]) / (view.up[1] - view.up[0]) * (view.bottom - view.top);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.style.height = height + "px";
}
function inside(point) {
  return point.every((x, i) => x >= view.sides[i][0] && x <= view.sides[i][1]);
}
function pixels(stop) {
  return [view.x(stop.point[0]), view.y(two ? stop.point[1] : stop.value)];
}
function drawPicture() {
  const svg = $("picture");
  svg.replaceChildren();
  const {left, right, top, bottom} = view;
  const defs = drawn("defs", {}), clip = drawn("clipPath", {id: "clip"}, undefined, defs);
  drawn("rect", {x: left, y: top, width: right - left, height: bottom - top}, undefined, clip);
  const marker = drawn("marker", {id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto"}, undefined, defs);
  drawn("path", {d: "M0 0L8 4L0 8z", class: "point"}, undefined, marker);
  if (two) drawn("image", {href: view.map, x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none"});
  for (const x of ticks(view.sides[0], (right - left) / 80)) {
    if (!two) drawn("line", {class: "grid", x1: view.x(x), x2: view.x(x), y1: top, y2: bottom});
    drawn("text", {class: "tick", x: view.x(x), y: bottom + 16, "text-anchor": "middle"}, brief(x));
  }
  for (const y of ticks(view.up, (bottom - top) / 55)) {
    if (!two) drawn("line", {class: "grid", x1: left, x2: right, y1: view.y(y), y2: view.y(y)});
    drawn("text", {class: "tick", x: left - 6, y: view.y(y) + 4, "text-anchor": "end"}, brief(y));
  }
  drawn("text", {x: (left + right) / 2, y: bottom + 33, "text-anchor": "middle"}, names[0]);
  drawn("text", {x: 4, y: top + 10, "text-anchor": "start", class: "halo"}, two ? names[1] : "f");
  drawn("rect", {class: "frame", x: left, y: top, width: right - left, height: bottom - top});
  const layer = drawn("g", {"clip-path": "url(#clip)"});
  if (!two) drawCurve(layer);
  drawPath(layer);
  $("legend").textContent = legend();
}
function drawCurve(layer) {
  let line = "", before;
  view.samples.forEach((stop, i) => {
    const x = view.left + (view.right - view.left) * i / (view.samples.length - 1);
    if (stop.fault || !Number.isFinite(stop.value)) {
      drawn("rect", {x: x - 0.8, y: view.top, width: 1.6, height: view.bottom - view.top, fill: "var(--folded-fill)", class: "missing"}, undefined, layer);
      before = null;
      return;
    }
    const y = Math.max(-1e5, Math.min(1e5, view.y(stop.value)));
    const leaps = before && (y - view.top) * (before.y - view.top) < 0 && (y - view.bottom) * (before.y - view.bottom) < 0;
    const torn = !before || leaps || (before.stop.branch !== stop.branch && Math.abs(before.y - y) > 8);
    line += `${torn ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = {stop, y};
  });
  drawn("path", {class: "curve", d: line}, undefined, layer);
  const here = path.stops[shownStep()];
  if (!here) return;
  const [low, high] = view.sides[0], tangent = x => view.y(here.value + here.gradient[0] * (x - here.point[0]));
  drawn("line", {class: "tangent", x1: view.left, y1: bounded(tangent(low)), x2: view.right, y2: bounded(tangent(high))}, undefined, layer);
}
function bounded(pixel) {
  return Math.max(-1e6, Math.min(1e6, pixel));
}
function drawPath(layer) {
  const last = shownStep(), points = path.stops.slice(0, last + 1).map(stop => pixels(stop).map(bounded));
  if (!points.length) { cross(layer, crossing(null)); return; }
  points.slice(1).forEach(([x, y], i) => {
    const [a, b] = points[i], far = Math.hypot(x - a, y - b) > 18 && last < 400;
    drawn("line", {class: "way", x1: a, y1: b, x2: x, y2: y, ...(far ? {"marker-end": "url(#arrow)"} : {})}, undefined, layer);
  });
  const stride = Math.ceil(points.length / 300);
  points.forEach(([x, y], i) => {
    if (i && i < last && i % stride === 0) drawn("circle", {class: "point", cx: x, cy: y, r: 3}, undefined, layer);
  });
  drawn("circle", {class: "start", cx: points[0][0], cy: points[0][1], r: 6}, undefined, layer);
  if (last) drawn("circle", {class: "here", cx: points[last][0], cy: points[last][1], r: 6}, undefined, layer);
  if (two) drawSlope(layer, points[last]);
  if (hasFailed()) cross(layer, crossing(points));
}
// The direction of steepest descent, 46 pixels long.
function drawSlope(layer, [x, y]) {
  const here = path.stops[shownStep()];
  const dx = view.x(here.point[0] - here.gradient[0]) - view.x(here.point[0]), dy = view.y(here.point[1] - here.gradient[1]) - view.y(here.point[1]);
  const size = Math.hypot(dx, dy);
  if (size > 0 && Number.isFinite(size)) drawn("line", {class: "tangent", x1: x, y1: y, x2: x + dx / size * 46, y2: y + dy / size * 46}, undefined, layer);
}
function hasFailed() {
  return path.rises || !["precision", "steps"].includes(path.reason);
}
// Where a path that fails leaves the picture, or where its next point would be.
function crossing(points) {
  const box = [view.left, view.right, view.top, view.bottom];
  const isIn = ([x, y]) => x >= box[0] && x <= box[1] && y >= box[2] && y <= box[3];
  const count = points ? points.length : 0;
  let from = count - 1;
  while (from >= 0 && !isIn(points[from])) from--;
  if (from < 0 && count) return null;
  let to = points && points[from + 1];
  if (!to) {
    if (count && count < path.stops.length) return null;
    if (path.rises) return points[from];
    const x = view.x(path.next[0]), y = two ? view.y(path.next[1]) : count ? points[from][1] : view.bottom - 12;
    to = [bounded(x), bounded(y)];
    if (isIn(to)) return to;
    if (!count) return null;
  }
  let [x, y] = points[from], least = 1;
  const dx = to[0] - x, dy = to[1] - y;
  for (const [step, room] of [[dx, dx > 0 ? box[1] - x : box[0] - x], [dy, dy > 0 ? box[3] - y : box[2] - y]]) {
    if (step) least = Math.min(least, room / step);
  }
  return [x + dx * least, y + dy * least];
}
function cross(layer, where) {
  if (!where) return;
  const x = Math.max(view.left + 9, Math.min(view.right - 9, where[0])), y = Math.max(view.top + 9, Math.min(view.bottom - 9, where[1]));
  const group = drawn("g", {class: "cross", "data-reason": path.reason}, undefined, layer);
  drawn("path", {d: `M${x - 7} ${y - 7}l14 14M${x + 7} ${y - 7}l-14 14`}, undefined, group);
}
function legend() {
  const parts = two ? ["the bluer, the lower; dashed green: steepest descent"] : ["dashed green: the tangent"];
  parts.push("ring: the start");
  if (hasFailed()) parts.push(path.rises ? "red cross: it diverges" : "red cross: where the path leaves");
  if (data.branches.length > 1) parts.push(`f has ${data.branches.length} recorded branches`);
  if (two ? view.hasGaps : view.samples.some(stop => stop.fault)) parts.push("grey: f is not defined, or not recorded");
  return parts.join("; ") + ". Click into the picture to start there.";
}

// --- two variables: contours and surface --------------------------------------------------------

const GRID = 64;
function sampleGrid() {
  const key = JSON.stringify([view.sides, view.width, dark.matches]);
  if (sampleGrid.key === key) { Object.assign(view, sampleGrid.kept); return; }
  const [[a, b], [c, d]] = view.sides, values = [];
  for (let j = 0; j <= GRID; j++) for (let i = 0; i <= GRID; i++) {
    const stop = at([a + (b - a) * i / GRID, c + (d - c) * j / GRID]);
    values.push(stop.fault ? NaN : stop.value);
  }
  const [low, high] = heights(values, path.stops.slice(0, 1).map(stop => stop.value));
  const least = Math.max(low, Math.min(...values.filter(Number.isFinite)));
  sampleGrid.kept = {values, lowest: least, highest: high, hasGaps: values.some(x => !Number.isFinite(x))};
  sampleGrid.key = key;
  Object.assign(view, sampleGrid.kept);
  sampleGrid.kept.map = contourMap();
  view.map = sampleGrid.kept.map;
}
const LEVELS = 16;
// Levels grow as squares, so that a bowl has evenly spaced rings.
function level(value) {
  const share = Math.max(0, Math.min(1, (value - view.lowest) / (view.highest - view.lowest || 1)));
  return Math.sqrt(share) * LEVELS;
}
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
function parts(name) {
  return [1, 3, 5].map(i => parseInt(colour(name).slice(i, i + 2), 16));
}
function shade(share, from, to) {
  return from.map((x, i) => Math.round(x + (to[i] - x) * share));
}
// A picture of the levels, a line where one begins: dark near the line, over about a pixel.
function contourMap() {
  const width = Math.round(view.right - view.left), height = Math.round(view.bottom - view.top);
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  canvas.width = width; canvas.height = height;
  const image = context.createImageData(width, height), low = parts("--blue"), high = parts("--paper"), missing = parts("--frame");
  const levels = new Float64Array((width + 1) * (height + 1));
  for (let row = 0; row <= height; row++) for (let column = 0; column <= width; column++) {
    levels[row * (width + 1) + column] = level2(column / width * GRID, (1 - row / height) * GRID);
  }
  for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) {
    const i = row * (width + 1) + column, own = levels[i], near = Math.abs(own - Math.round(own));
    const steep = Math.hypot(levels[i + 1] - own, levels[i + width + 1] - own) || 1;
    const line = own > 0.5 ? Math.max(0, 1 - near / steep / 0.9) : 0;
    const rgb = own !== own ? missing : shade(Math.min(Math.floor(own), LEVELS - 1) / LEVELS * 0.85 + 0.15 - 0.3 * line, low, high);
    image.data.set([...rgb.map(x => Math.max(0, Math.min(255, x))), 255], 4 * (row * width + column));
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
function level2(x, y) {
  const i = Math.min(GRID - 1, Math.floor(x)), j = Math.min(GRID - 1, Math.floor(y)), u = x - i, v = y - j, n = GRID + 1;
  const z = view.values, k = j * n + i;
  return level((z[k] * (1 - u) + z[k + 1] * u) * (1 - v) + (z[k + n] * (1 - u) + z[k + n + 1] * u) * v);
}
// A point of the box [-1, 1] x [-1, 1] x [0, 1] on the canvas, and how near it is.
function projected(x, y, z) {
  const {turn, tilt} = state, s = Math.sin(turn), c = Math.cos(turn), solid = view.solid;
  const across = c * x - s * y, along = s * x + c * y;
  return [solid.width / 2 + across * solid.scale, solid.height * 0.56 + (along * Math.sin(tilt) - (z - 0.4) * 1.3 * Math.cos(tilt)) * solid.scale, along];
}
function inBox(point, value) {
  const [x, y] = point.map((p, i) => 2 * (p - view.sides[i][0]) / (view.sides[i][1] - view.sides[i][0]) - 1);
  return [x, -y, Math.max(0, Math.min(1, (value - view.lowest) / (view.highest - view.lowest || 1)))];
}
function drawSolid() {
  const canvas = $("solid"), width = canvas.parentElement.clientWidth, height = view.height, ratio = devicePixelRatio || 1;
  canvas.width = width * ratio; canvas.height = height * ratio; canvas.style.height = height + "px";
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  view.solid = {width, height, scale: Math.min(width / 3.1, height / 2.7)};
  const corner = ([i, j]) => [view.sides[0][0] + (view.sides[0][1] - view.sides[0][0]) * i / GRID, view.sides[1][0] + (view.sides[1][1] - view.sides[1][0]) * j / GRID];
  drawBase(context, corner);
  const step = 2, cells = [], n = GRID + 1;
  for (let j = 0; j < GRID; j += step) for (let i = 0; i < GRID; i += step) {
    const corners = [[i, j], [i + step, j], [i + step, j + step], [i, j + step]], z = corners.map(([a, b]) => view.values[b * n + a]);
    if (!z.every(Number.isFinite) || z.every(x => x > view.highest)) continue;
    const points = corners.map((each, m) => projected(...inBox(corner(each), z[m])));
    cells.push({points, depth: points[0][2] + points[2][2], shade: level(z.reduce((a, b) => a + b) / 4) / LEVELS});
  }
  cells.sort((a, b) => a.depth - b.depth);
  const low = parts("--blue"), high = parts("--paper");
  context.lineWidth = 0.6;
  for (const cell of cells) {
    context.fillStyle = `rgb(${shade(0.1 + 0.75 * cell.shade, low, high)})`;
    context.strokeStyle = colour("--edge") + "70";
    context.beginPath();
    cell.points.forEach(([x, y], i) => i ? context.lineTo(x, y) : context.moveTo(x, y));
    context.closePath(); context.fill(); context.stroke();
  }
  drawSolidPath(context);
}
function drawBase(context, corner) {
  const corners = [[0, 0], [GRID, 0], [GRID, GRID], [0, GRID]].map(each => projected(...inBox(corner(each), view.lowest)));
  context.strokeStyle = colour("--aside"); context.fillStyle = colour("--ink"); context.lineWidth = 1;
  context.font = "12px Helvetica, Arial, sans-serif"; context.textAlign = "center";
  context.beginPath();
  corners.forEach(([x, y], i) => i ? context.lineTo(x, y) : context.moveTo(x, y));
  context.closePath(); context.stroke();
  const middle = projected(0, 0, 0);
  const write = (text, [x, y], away) => context.fillText(text, x + away * (x - middle[0]) , y + away * (y - middle[1]) + 4);
  const between = (a, b) => a.map((x, i) => (x + b[i]) / 2);
  // The two edges in front have the names and the ends.
  const edges = [[0, 1, 0], [3, 2, 0], [0, 3, 1], [1, 2, 1]];
  for (const axis of [0, 1]) {
    const [i, j] = edges.filter(edge => edge[2] === axis).sort((p, q) => corners[q[0]][2] + corners[q[1]][2] - corners[p[0]][2] - corners[p[1]][2])[0];
    write(names[axis], between(corners[i], corners[j]), 0.22);
    const inner = 0.12;
    view.sides[axis].forEach((end, k) => {
      const [p, q] = k ? [corners[j], corners[i]] : [corners[i], corners[j]];
      write(brief(Number(end.toPrecision(3))), p.map((x, m) => x + (q[m] - x) * inner), 0.16);
    });
  }
}
function drawSolidPath(context) {
  const stops = path.stops.slice(0, shownStep() + 1), points = [];
  for (const stop of stops) {
    if (!inside(stop.point)) break;
    points.push(projected(...inBox(stop.point, stop.value)));
  }
  const vermilion = colour("--vermilion");
  context.strokeStyle = context.fillStyle = vermilion; context.lineWidth = 2;
  context.beginPath();
  points.forEach(([x, y], i) => i ? context.lineTo(x, y) : context.moveTo(x, y));
  context.stroke();
  points.forEach(([x, y], i) => { context.beginPath(); context.arc(x, y, i === points.length - 1 ? 6 : points.length < 300 ? 3 : 1.5, 0, 7); context.fill(); });
  if (points.length && points.length < stops.length && hasFailed()) {
    const [x, y] = points[points.length - 1];
    context.strokeStyle = colour("--backward-text"); context.lineWidth = 4;
    context.beginPath(); context.moveTo(x - 8, y - 8); context.lineTo(x + 8, y + 8); context.moveTo(x + 8, y - 8); context.lineTo(x - 8, y + 8); context.stroke();
  }
  $("solid").setAttribute("aria-label", `the surface of f over ${names[0]} and ${names[1]}, with the path; the arrow keys turn it`);
}

// --- the page -----------------------------------------------------------------------------------

function shownStep() {
  return Math.min(state.step, path.stops.length - 1);
}
function fillTable() {
  const rows = $("rows"), count = path.stops.length;
  rows.replaceChildren();
  path.stops.forEach((stop, i) => {
    if (count > 400 && i >= 200 && i < count - 200) {
      if (i === 200) element("td", element("tr", rows), "\u2026");
      return;
    }
    const row = element("tr", rows, "", {"data-step": i, "data-point": stop.point.map(written).join(" "), "data-value": written(stop.value), "data-gradient": stop.gradient.map(written).join(" ")});
    for (const x of [i, ...stop.point, stop.value, ...stop.gradient]) element("td", row, typeof x === "number" ? brief(x) : x);
  });
}
// The line that says what the step in hand does.
function describe() {
  const i = shownStep(), here = path.stops[i], now = $("now");
  if (!here) { now.textContent = ""; return; }
  const rate = brief(state.rate), signed = x => x < 0 ? `(${brief(x)})` : brief(x);
  const next = here.point.map((x, j) => `${names[j]} \u2212 rate \u00b7 ${slopeName(j)} = ${brief(x)} \u2212 ${rate} \u00b7 ${signed(here.gradient[j])} = ${brief(x - state.rate * here.gradient[j])}`);
  now.textContent = `Step ${i}: ${place(here.point)}, f = ${brief(here.value)}, ${here.gradient.map((g, j) => `${slopeName(j)} = ${brief(g)}`).join(", ")}.${programs.length > 1 ? ` Branch ${here.branch + 1} of ${programs.length}.` : ""} Next: ${next.join("; ")}.`;
  now.dataset.step = i;
  now.dataset.point = here.point.map(written).join(" ");
  now.dataset.value = written(here.value);
  now.dataset.gradient = here.gradient.map(written).join(" ");
}
// What depends on the step alone.
function showStep() {
  const last = Math.max(0, path.stops.length - 1), i = Math.max(0, shownStep());
  $("scrub").max = last; $("scrub").value = i;
  $("scrub").setAttribute("aria-valuetext", `${i} of ${last}`);
  $("count").textContent = `${i} of ${last}`;
  $("step").disabled = i >= last;
  describe();
  drawPicture();
  if (two) drawSolid();
  const before = $("rows").querySelector(".current"), row = $("rows").querySelector(`[data-step="${i}"]`);
  if (before) before.classList.remove("current");
  if (row) {
    row.classList.add("current");
    const box = row.closest(".table");  // the table scrolls, the page stays
    box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }
}
// What depends on the start and the rate.
function show() {
  path = walk();
  layOut();
  fillTable();
  const said = outcome();
  if ($("outcome").textContent !== said) $("outcome").textContent = said;
  $("outcome").className = hasFailed() ? "trouble" : "";
  $("outcome").dataset.reason = path.reason;
  $("picture").setAttribute("aria-label", `${two ? "contours" : "the curve"} of f and the path of the descent. ${said}`);
  showStep();
}
let due = 0;
function soon() {  // a hand that drags asks more often than a picture can be drawn
  if (!due) due = requestAnimationFrame(() => { due = 0; show(); });
}
function play(on) {
  clearInterval(state.timer);
  state.timer = 0;
  const last = path.stops.length - 1;
  if (on && still.matches) { state.step = Infinity; on = false; showStep(); }
  if (on) {
    if (shownStep() >= last) { state.step = 0; showStep(); }
    const frames = Math.min(last, 120), jump = Math.max(1, Math.round(last / frames));
    state.timer = setInterval(() => {
      state.step = Math.min(last, shownStep() + jump);
      showStep();
      if (state.step >= last) play(false);
    }, Math.max(80, Math.min(600, 7000 / frames)));
  }
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(on));
}
function goTo(step) {
  play(false);
  state.step = step;
  showStep();
}

const starts = names.map((name, i) => dial({label: two ? `start ${name}` : "start", value: state.start[i], min: data.ranges[i][0], max: data.ranges[i][1],
  changed: x => { state.start[i] = x; soon(); }}));
const rate = dial({label: "rate", value: state.rate, min: Math.min(1e-4, state.rate / 10), max: Math.max(10, state.rate), log: true, changed: x => { state.rate = x; soon(); }});
for (const each of [...starts, rate]) $("dials").append(each.box);
$("play").addEventListener("click", () => play(!state.timer));
$("step").addEventListener("click", () => goTo(shownStep() + 1));
$("reset").addEventListener("click", () => goTo(0));
$("scrub").addEventListener("input", () => { const i = Number($("scrub").value); goTo(i >= path.stops.length - 1 ? Infinity : i); });
$("closer").addEventListener("click", () => { state.zoom /= 1.5; layOut(); showStep(); });
$("wider").addEventListener("click", () => { state.zoom *= 1.5; layOut(); showStep(); });
$("picture").addEventListener("click", event => {
  const box = $("picture").getBoundingClientRect(), shares = [(event.clientX - box.left - view.left) / (view.right - view.left), (view.bottom - event.clientY + box.top) / (view.bottom - view.top)];
  if (shares.some(share => share < 0 || share > 1)) return;
  starts.forEach((dial, i) => {
    const [low, high] = view.sides[i], x = Number((low + (high - low) * shares[i]).toPrecision(3));
    state.start[i] = x;
    dial.set(x);
  });
  show();
});
let held = null;
$("solid").addEventListener("pointerdown", event => { held = [event.clientX, event.clientY]; $("solid").setPointerCapture(event.pointerId); });
$("solid").addEventListener("pointermove", event => {
  if (!held) return;
  turnBy(0.01 * (event.clientX - held[0]), 0.01 * (event.clientY - held[1]));
  held = [event.clientX, event.clientY];
});
for (const end of ["pointerup", "pointercancel"]) $("solid").addEventListener(end, () => { held = null; });
$("solid").addEventListener("keydown", event => {
  const by = {ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1]}[event.key];
  if (by) { event.preventDefault(); turnBy(...by); }
});
function turnBy(turn, tilt) {
  state.turn -= turn;
  state.tilt = Math.max(0.1, Math.min(1.5, state.tilt + tilt));
  drawSolid();
}
dark.addEventListener("change", () => { layOut(); showStep(); });
new ResizeObserver(() => { if (view && Math.max(280, $("picture").parentElement.clientWidth) !== view.width) { layOut(); showStep(); } }).observe(document.body);

if (two) document.body.classList.add("two"); else $("solid-panel").remove();
if (data.formulas.length) {
  $("formulas").textContent = [`f = ${data.formulas[0]}`, ...data.formulas.slice(1).map((text, i) => `${slopeName(i)} = ${text}`)].join(",\u2003");
}
const heads = element("tr", $("heads"));
for (const text of ["step", ...names, "f", ...names.map((_, i) => slopeName(i))]) element("th", heads, text, {scope: "col"});
const wanted = /^#step=(\d+)$/.exec(location.hash);
if (wanted) state.step = Number(wanted[1]);
show();
