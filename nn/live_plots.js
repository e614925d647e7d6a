// Plots in canvases: over the plane, over one input, and beside the targets.

// --- colours and axes -------------------------------------------------------------------------

const SERIES = ["var(--blue)", "var(--orange)", "var(--green)", "var(--purple)", "var(--vermilion)", "var(--sky)", "var(--yellow)", "var(--black)"];
let colours = {};
function colour(text) {
  const name = text.slice(4, -1);
  return colours[name] ??= getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
function parts(text) { const hex = colour(text); return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)); }
function mixed(from, to, share) { return from.map((x, i) => x + (to[i] - x) * share); }

// The context of a canvas, empty, of that size in pixels of the page.
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1, [across, down] = [width, height].map((x) => Math.round(x * ratio));
  canvas.style.height = height + "px";
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, {width: across, height: down});
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
// The plot in a canvas: {context, x, y, frame}; x and y turn numbers into pixels.
function plotIn(canvas, height, horizontal, vertical, options = {}) {
  const width = canvas.clientWidth, context = sized(canvas, width, height);
  context.font = "12px Helvetica, Arial, sans-serif";
  const marks = options.marks || (options.log ? powers(vertical) : ticks(vertical, height / 45));
  const left = 10 + Math.max(...marks.map((mark) => context.measureText(label(mark)).width));
  const box = {left, right: width - 8, top: 8, bottom: height - (options.below ? 36 : 22)};
  const up = options.log ? Math.log10 : (v) => v;
  const [low, high] = vertical.map(up);
  const x = (v) => box.left + (v - horizontal[0]) / (horizontal[1] - horizontal[0]) * (box.right - box.left);
  const y = (v) => box.bottom - (up(v) - low) / (high - low) * (box.bottom - box.top);
  return {context, x, y, box, marks, across: options.marks || ticks(horizontal, width / 70), options};
}
// A plot's frame and its numbers, on top of what was drawn.
function frame({context, x, y, box, marks, across, options}) {
  context.strokeStyle = colour("var(--frame)");
  context.lineWidth = 1;
  context.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  context.fillStyle = colour("var(--edge)");
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const mark of marks) context.fillText(label(mark), box.left - 4, y(mark));
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const mark of across) {
    const half = context.measureText(label(mark)).width / 2;
    context.fillText(label(mark), Math.min(x(mark), box.right + 6 - half), box.bottom + 5);
  }
  if (options.below) context.fillText(options.below, (box.left + box.right) / 2, box.bottom + 20);
}
const label = (x) => {
  const size = Math.abs(x);
  return (size >= 1e5 || (size > 0 && size < 1e-3) ? x.toExponential(0).replace("e+", "e") : String(Number(x.toPrecision(4)))).replace("-", "−");
};
const pretty = (x) => shown(x).replace("-", "−");
function ticks([low, high], count) {
  const rough = (high - low) / Math.max(2, count), power = 10 ** Math.floor(Math.log10(rough));
  const by = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const found = [];
  for (let i = Math.ceil(low / by - 1e-9); i * by <= high + 1e-9 * by; i++) found.push(i * by);
  return found;
}
// Powers of ten, or, where few of them are in the range, also 2 and 5 times these.
function powers([low, high]) {
  const first = Math.floor(Math.log10(low)), last = Math.floor(Math.log10(high) + 1e-9);
  const steps = last - first < 3 ? [1, 2, 5] : [1], by = Math.ceil((last - first) / 5) || 1, found = [];
  for (let i = first; i <= last; i += by) found.push(...steps.map((m) => Number(`${m}e${i}`)));
  return found.filter((mark) => mark >= low && mark <= high);
}
function inside({context, box}, draw) {
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  context.clip();
  draw();
  context.restore();
}
function path({context, x, y}, xs, ys, ink, width = 2, dash = []) {
  context.strokeStyle = ink;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  xs.forEach((v, i) => { if (Number.isFinite(ys[i])) context.lineTo(x(v), y(ys[i])); });
  context.stroke();
  context.setLineDash([]);
}
function dot({context, x, y}, px, py, fill, square) {
  const size = 5;
  context.beginPath();
  if (square) context.rect(x(px) - size, y(py) - size, 2 * size, 2 * size);
  else context.arc(x(px), y(py), size, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = colour("var(--paper)");
  context.lineWidth = 2.5;
  context.stroke();
  context.strokeStyle = colour("var(--ink)");
  context.lineWidth = 1;
  context.stroke();
}

// --- plots over the plane, over one input, and beside the targets -----------------------------

const sheet = document.createElement("canvas");
sheet.width = sheet.height = CELLS;
// Paint count * count pixels by the colour [r, g, b] of each, from the lowest row up.
function paint(context, count, colourOf) {
  const image = context.createImageData(count, count);
  for (let i = 0; i < count * count; i++) image.data.set([...colourOf(i), 255], 4 * ((count - 1 - Math.floor(i / count)) * count + i % count));
  context.putImageData(image, 0, 0);
}
function fillPlane(plot, colourOf) {
  paint(sheet.getContext("2d"), CELLS, colourOf);
  const {box} = plot, half = [(box.right - box.left) / (CELLS - 1) / 2, (box.bottom - box.top) / (CELLS - 1) / 2];
  inside(plot, () => plot.context.drawImage(sheet, box.left - half[0], box.top - half[1], box.right - box.left + 2 * half[0], box.bottom - box.top + 2 * half[1]));
}
// From the colour of low numbers over the paper's to that of high ones.
function shade(middle, reach, strength = 0.6) {
  const paper = parts("var(--undecided)"), low = parts("var(--blue)"), high = parts("var(--orange)");
  return (v) => Number.isFinite(v) ? mixed(paper, v < middle ? low : high, strength * Math.min(1, Math.abs(v - middle) / reach)) : parts("var(--cut)");
}
// Where a field crosses a level: a piece of line through each cell of the plane.
function contour({context, x, y}, field, level) {
  context.strokeStyle = colour("var(--ink)");
  context.lineWidth = 2;
  context.beginPath();
  for (let row = 0; row + 1 < CELLS; row++) for (let c = 0; c + 1 < CELLS; c++) {
    const corners = [[c, row], [c + 1, row], [c + 1, row + 1], [c, row + 1]];
    const crossings = [];
    corners.forEach(([ax, ay], i) => {
      const [bx, by] = corners[(i + 1) % 4], a = field[ay * CELLS + ax] - level, b = field[by * CELLS + bx] - level;
      if ((a > 0) !== (b > 0)) crossings.push([ax + (bx - ax) * a / (a - b), ay + (by - ay) * a / (a - b)]);
    });
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      for (const [k, [cx, cy]] of crossings.slice(i, i + 2).entries()) {
        context[k ? "lineTo" : "moveTo"](x(along(window_[0], CELLS, cx)), y(along(window_[1], CELLS, cy)));
      }
    }
  }
  context.stroke();
}
function planeIn(canvas, colourOf, field, level) {
  const plot = plotIn(canvas, Math.min(360, Math.max(240, canvas.clientWidth * 0.85)), window_[0], window_[1]);
  fillPlane(plot, colourOf);
  if (field) inside(plot, () => contour(plot, field, level));
  rows.forEach((row, i) => dot(plot, row[0], row[1], fillOf(i), hasClasses && classOf(i) % 2 === 1));
  frame(plot);
}
function fillOf(i) {
  if (data.manyClasses) return colour(SERIES[classOf(i) % SERIES.length]);
  if (hasClasses) return colour(SERIES[classOf(i)]);
  return `rgb(${shade(scale.middle, scale.reach, 1)(targets[0][i]).map(Math.round)})`;
}
function lineIn(canvas, curves, vertical, withTargets) {
  const plot = plotIn(canvas, 280, window_[0], vertical);
  inside(plot, () => {
    if (withTargets && data.threshold !== null) path(plot, window_[0], [data.threshold, data.threshold], colour("var(--aside)"), 1, [5, 4]);
    if (withTargets) rows.forEach((row, i) => targets.forEach((target, k) => {
      if (!data.manyClasses || target[i]) dot(plot, row[0], target[i], rowColour(i, k), (classTargets ? classOf(i) : k) % 2 === 1);
    }));
    curves.forEach((curve, k) => path(plot, points.map(([v]) => v), curve, colour(SERIES[k % SERIES.length]), 2.5));
  });
  frame(plot);
}
// The colour of a row's dot: of its class, of its output where there are several, else orange.
function rowColour(i, k) {
  const place = classTargets ? classOf(i) : nTargets > 1 ? k : 1;
  return colour(SERIES[place % SERIES.length]);
}
function scatterIn(canvas, series, vertical, diagonal) {
  const across = wider(data.manyClasses ? [0, nTargets - 1] : spread, 0.1);
  const plot = plotIn(canvas, 300, across, vertical, {below: data.manyClasses ? "class" : "target"});
  const target = (i, k) => data.manyClasses ? classOf(i) : targets[k % nTargets][i];
  inside(plot, () => {
    if (diagonal) path(plot, across, across, colour("var(--aside)"), 1, [5, 4]);
    series.forEach((numbers, k) => rows.forEach((row, i) => dot(plot, target(i, k), numbers[i], rowColour(i, k), (classTargets ? classOf(i) : k) % 2 === 1)));
  });
  frame(plot);
}
// How often each class was answered: rows are classes, columns answers.
function tableIn(canvas) {
  const n = nTargets, counts = Array.from({length: n}, () => new Array(n).fill(0));
  state.answers.forEach((answers, i) => { counts[classOf(i)][argmax(Array.from(answers))]++; });
  const marks = Array.from({length: n}, (_, k) => k);
  const plot = plotIn(canvas, Math.min(360, 60 + 40 * n), [-0.5, n - 0.5], [n - 0.5, -0.5], {below: "answered class", marks});
  const {context, x, y, box} = plot, most = Math.max(...counts.flat()), cell = [(box.right - box.left) / n, (box.bottom - box.top) / n];
  counts.forEach((line, i) => line.forEach((count, k) => {
    context.fillStyle = `rgb(${mixed(parts("var(--undecided)"), parts(i === k ? "var(--blue)" : "var(--orange)"), 0.7 * count / most).map(Math.round)})`;
    context.fillRect(x(k) - cell[0] / 2, y(i) - cell[1] / 2, cell[0] - 1, cell[1] - 1);
    context.fillStyle = colour("var(--ink)");
    context.textAlign = "center";
    context.textBaseline = "middle";
    if (count) context.fillText(count, x(k), y(i));
  }));
  frame(plot);
}
