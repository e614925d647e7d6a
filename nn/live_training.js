
// --- the training: what fit does, by the programs that were recorded --------------------------

const rows = data.rows.map((row) => Float64Array.from(row));
const nGiven = rows[0].length;  // inputs, targets, and what else the loss of a row reads
const nParameters = data.start.length;
const state = {choice: 0, rate: data.rate, selected: null};

function begin(numbers) {
  state.numbers = Float64Array.from(numbers);
  state.memories = Array.from({length: data.memories}, () => new Float64Array(nParameters));
  state.steps = 0;
  state.losses = [];
  state.trouble = "";
  state.answers = rows.map(() => new Float64Array(data.outputs));
  state.known = NaN;  // the loss of the numbers as they are
  evaluate();
}

// The mean loss, its gradient, and the answers to all rows.
function evaluate() {
  const network = networks[state.choice].row;
  const input = new Float64Array(nGiven + nParameters);
  const output = new Float64Array(1 + nParameters + data.outputs);
  const sums = new Float64Array(1 + nParameters);
  input.set(state.numbers, nGiven);
  let branch = "";
  rows.forEach((row, i) => {
    input.set(row);
    network(input, output);
    if (output.guard >= 0) branch = `row ${i} takes another branch than the first, or leaves a domain`;
    for (let k = 0; k < sums.length; k++) sums[k] += output[k];
    state.answers[i].set(output.subarray(1 + nParameters));
  });
  let objective = sums[0] / rows.length;
  if (data.l2) objective += data.l2 * state.numbers.reduce((total, p) => total + p * p, 0);
  Object.assign(state, {loss: objective, sums, branch});
}

// One step of the optimizer; false where there is none, and then nothing has changed.
function step() {
  const {loss, sums, numbers} = state;
  if (state.branch) return fail(state.branch);
  if (!Number.isFinite(loss)) return fail(`the loss is ${written(loss)}; try a smaller learning rate`);
  const bad = sums.findIndex((x) => !Number.isFinite(x));
  if (bad > 0) return fail(`a gradient is ${written(sums[bad])}; try a smaller learning rate`);
  const shared = [1 / rows.length, state.rate, ...scalars([state.steps])];
  const moved = new Float64Array(nParameters), output = new Float64Array(3 + data.memories);
  const memories = state.memories.map(() => new Float64Array(nParameters));
  for (let p = 0; p < nParameters; p++) {
    rule([sums[1 + p], numbers[p], ...state.memories.map((memory) => memory[p]), ...shared], output);
    moved[p] = output[0];
    memories.forEach((memory, m) => { memory[p] = output[1 + m]; });
  }
  state.losses.push(loss);
  Object.assign(state, {numbers: moved, memories, steps: state.steps + 1, trouble: ""});
  evaluate();
  return true;
}

function fail(why) {
  state.trouble = `stopped at step ${state.steps}: ${why}`;
  return false;
}

function train(count) {
  for (let i = 0; i < count; i++) if (!step()) return false;
  return true;
}

// Whole numbers from 0 to 2**32 - 1 as Python's random.Random(seed) draws them: the Mersenne
// Twister of Matsumoto and Nishimura (1998), begun with an array of one number.
function mersenneTwister(seed) {
  const N = 624, words = new Uint32Array(N);
  words[0] = 19650218;
  for (let i = 1; i < N; i++) words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i;
  let i = 1;
  const next = () => { if (++i === N) { words[0] = words[N - 1]; i = 1; } };
  const mixed = (factor) => words[i] ^ Math.imul(words[i - 1] ^ (words[i - 1] >>> 30), factor);
  for (let k = 0; k < N; k++) { words[i] = mixed(1664525) + seed; next(); }
  for (let k = 1; k < N; k++) { words[i] = mixed(1566083941) - i; next(); }
  words[0] = 0x80000000;
  let place = N;
  return () => {
    if (place === N) {
      for (let k = 0; k < N; k++) {
        const y = (words[k] & 0x80000000) | (words[(k + 1) % N] & 0x7fffffff);
        words[k] = words[(k + 397) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      place = 0;
    }
    let y = words[place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

// The parameters of MLP(..., seed=seed): weights from uniform(-1, 1), neuron by neuron; biases 0.
function drawn(seed) {
  const word = mersenneTwister(seed), numbers = new Float64Array(nParameters);
  const random = () => { const high = word() >>> 5, low = word() >>> 6; return (high * 67108864 + low) / 9007199254740992; };
  for (const neuron of data.layers.flat()) for (const w of neuron.w) numbers[w] = -1 + 2 * random();
  return numbers;
}

function reset() {
  const seed = $("seed").value;
  begin(seed === "" ? data.start : drawn(Number(seed)));
}

// --- what the neurons compute -----------------------------------------------------------------

const nInputs = data.inputs;
const nNeurons = data.layers.flat().length;
const firstOutput = nNeurons - data.outputs;
const column = (rows, j) => rows.map((row) => row[j]);
const range = (numbers) => numbers.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
const wider = ([low, high], share) => { const more = (high - low || 2) * share; return [low - more, high + more]; };

// The outputs of all neurons at points of inputs, one after the other: call(outputs, i).
function atPoints(points, call) {
  const input = new Float64Array(nInputs + nParameters), output = new Float64Array(nNeurons);
  input.set(state.numbers, nInputs);
  points.forEach((point, i) => {
    input.set(point);
    networks[state.choice].neurons(input, output);
    call(output, i);
  });
}

const kind = nInputs === 1 ? "line" : nInputs === 2 && (data.outputs === 1 || data.manyClasses) ? "plane" : "scatter";
const nTargets = data.outputs;
const targets = Array.from({length: nTargets}, (_, k) => column(rows, nInputs + k));
const CELLS = 48;  // of the plane, to each side
const CURVE = 160;  // points of a line

const window_ = kind === "scatter" ? null : Array.from({length: nInputs}, (_, j) => wider(range(column(rows, j)), 0.12));
const along = ([low, high], count, i) => low + (high - low) * i / (count - 1);
const points = kind === "line" ? Array.from({length: CURVE}, (_, i) => [along(window_[0], CURVE, i)])
  : kind === "plane" ? Array.from({length: CELLS * CELLS}, (_, i) => [along(window_[0], CELLS, i % CELLS), along(window_[1], CELLS, Math.floor(i / CELLS))])
  : rows.map((row) => row.subarray(0, nInputs));

// How a score is read: what lies in the middle, how far up and down colours go, classes.
const classTargets = data.threshold !== null || data.manyClasses;
const spread = range(targets.flat());
const scale = data.threshold === null ? {middle: (spread[0] + spread[1]) / 2, reach: (spread[1] - spread[0]) / 2 || 1}
  : {middle: data.threshold, reach: data.threshold === 0 ? 1 : data.threshold};
const isTwoValued = new Set(targets[0]).size === 2 && nTargets === 1;
const argmax = (numbers) => numbers.indexOf(Math.max(...numbers));
const classOf = (i) => data.manyClasses ? argmax(targets.map((target) => target[i])) : targets[0][i] > (spread[0] + spread[1]) / 2 ? 1 : 0;

function accuracy() {
  if (!classTargets) return null;
  const right = rows.filter((row, i) => data.manyClasses ? argmax(Array.from(state.answers[i])) === classOf(i)
    : (state.answers[i][0] > data.threshold) === (targets[0][i] === data.upper));
  return right.length / rows.length;
}

// --- colours and axes -------------------------------------------------------------------------

const SERIES = ["var(--blue)", "var(--orange)", "var(--green)", "var(--purple)", "var(--vermilion)", "var(--sky)", "var(--yellow)", "var(--black)"];
let colours = {};
function colour(text) {
  const name = text.slice(4, -1);
  return colours[name] ??= getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
function parts(text) { const hex = colour(text); return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)); }
function mixed(from, to, share) { return from.map((x, i) => x + (to[i] - x) * share); }

// The plot in a canvas: {context, x, y, frame}; x and y turn numbers into pixels.
function plotIn(canvas, height, horizontal, vertical, options = {}) {
  const width = canvas.clientWidth, ratio = window.devicePixelRatio || 1;
  canvas.style.height = height + "px";
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px Helvetica, Arial, sans-serif";
  const marks = options.log ? powers(vertical) : ticks(vertical, height / 45);
  const left = 10 + Math.max(...marks.map((mark) => context.measureText(label(mark)).width));
  const box = {left, right: width - 8, top: 8, bottom: height - (options.below ? 36 : 22)};
  const up = options.log ? Math.log10 : (v) => v;
  const [low, high] = vertical.map(up);
  const x = (v) => box.left + (v - horizontal[0]) / (horizontal[1] - horizontal[0]) * (box.right - box.left);
  const y = (v) => box.bottom - (up(v) - low) / (high - low) * (box.bottom - box.top);
  return {context, x, y, box, marks, across: ticks(horizontal, width / 70), options};
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
function powers([low, high]) {
  const found = [], first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const by = Math.max(1, Math.ceil((last - first + 1) / 5));
  for (let i = first; i <= last; i += by) found.push(10 ** i);
  return found;
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
// Fill a plot over the plane by the colour [r, g, b] of each cell.
function fillPlane(plot, colourOf) {
  const context = sheet.getContext("2d"), image = context.createImageData(CELLS, CELLS);
  for (let i = 0; i < CELLS * CELLS; i++) {
    const at = 4 * ((CELLS - 1 - Math.floor(i / CELLS)) * CELLS + i % CELLS), [r, g, b] = colourOf(i);
    image.data.set([r, g, b, 255], at);
  }
  context.putImageData(image, 0, 0);
  const {box} = plot, half = [(box.right - box.left) / (CELLS - 1) / 2, (box.bottom - box.top) / (CELLS - 1) / 2];
  inside(plot, () => plot.context.drawImage(sheet, box.left - half[0], box.top - half[1], box.right - box.left + 2 * half[0], box.bottom - box.top + 2 * half[1]));
}
// From the colour of low numbers over the paper's to that of high ones.
function shade(middle, reach) {
  const paper = parts("var(--undecided)"), low = parts("var(--blue)"), high = parts("var(--orange)");
  return (v) => Number.isFinite(v) ? mixed(paper, v < middle ? low : high, 0.6 * Math.min(1, Math.abs(v - middle) / reach)) : parts("var(--cut)");
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
  rows.forEach((row, i) => dot(plot, row[0], row[1], fillOf(i), classOf(i) % 2 === 1));
  frame(plot);
}
function fillOf(i) {
  if (data.manyClasses) return colour(SERIES[classOf(i) % SERIES.length]);
  if (classTargets || isTwoValued) return colour(SERIES[classOf(i)]);
  return `rgb(${shade(scale.middle, scale.reach)(targets[0][i]).map(Math.round)})`;
}
function lineIn(canvas, curves, vertical, withTargets) {
  const plot = plotIn(canvas, 280, window_[0], vertical);
  inside(plot, () => {
    if (withTargets && data.threshold !== null) path(plot, window_[0], [data.threshold, data.threshold], colour("var(--aside)"), 1, [5, 4]);
    curves.forEach((curve, k) => path(plot, points.map(([v]) => v), curve, colour(SERIES[k % SERIES.length]), 2.5));
    if (withTargets) rows.forEach((row, i) => targets.forEach((target, k) => dot(plot, row[0], target[i], colour(SERIES[(classTargets && nTargets === 1 ? classOf(i) : k) % SERIES.length]), k % 2 === 1)));
  });
  frame(plot);
}
function scatterIn(canvas, series, vertical, diagonal, below) {
  const across = wider(spread, 0.1), plot = plotIn(canvas, 300, across, vertical, {below});
  inside(plot, () => {
    if (diagonal) path(plot, across, across, colour("var(--aside)"), 1, [5, 4]);
    series.forEach((numbers, k) => rows.forEach((row, i) => dot(plot, targets[k % nTargets][i], numbers[i], colour(SERIES[k % SERIES.length]), k % 2 === 1)));
  });
  frame(plot);
}
// How often each class was answered: rows are classes, columns answers.
function tableIn(canvas) {
  const n = nTargets, counts = Array.from({length: n}, () => new Array(n).fill(0));
  rows.forEach((row, i) => { counts[classOf(i)][Math.max(0, argmax(Array.from(state.answers[i])))]++; });
  const plot = plotIn(canvas, Math.min(360, 60 + 30 * n), [-0.5, n - 0.5], [n - 0.5, -0.5], {below: "answered class (down: the true one)"});
  const {context, x, y, box} = plot, most = Math.max(...counts.flat()), cell = [(box.right - box.left) / n, (box.bottom - box.top) / n];
  plot.marks = plot.across = Array.from({length: n}, (_, k) => k);
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

// --- the panels -------------------------------------------------------------------------------

function drawAnswers(fields) {
  const answers = fields.slice(firstOutput), canvas = $("answers");
  if (kind === "plane" && data.manyClasses) {
    const inks = SERIES.map((series) => mixed(parts("var(--undecided)"), parts(series), 0.6));
    planeIn(canvas, (i) => inks[Math.max(0, argmax(answers.map((field) => field[i]))) % inks.length]);
  } else if (kind === "plane") {
    const colourOf = shade(scale.middle, scale.reach), lined = data.threshold !== null || isTwoValued;
    planeIn(canvas, (i) => colourOf(answers[0][i]), lined ? answers[0] : null, scale.middle);
  } else if (kind === "line") lineIn(canvas, answers, wider(range([...targets.flat(), ...(data.threshold === null ? [] : [data.threshold])]), 0.25), true);
  else if (data.manyClasses) tableIn(canvas);
  else scatterIn(canvas, answers, wider(spread, 0.35), data.threshold === null, "target");
}
function describeAnswers() {
  const title = {plane: "What it answers", line: data.manyClasses ? "Its logits" : "The line that it has fitted", scatter: data.manyClasses ? "Answers by class" : "Answers beside the targets"}[kind];
  $("answers-title").textContent = title;
  const names = data.outputs === 1 ? "" : ` One colour for each of ${data.outputs} outputs.`;
  const legend = kind === "plane" ? data.manyClasses ? "Colour: the class that is answered. Dots: the rows, in the colour of their class."
      : data.threshold !== null || isTwoValued ? `Blue: below ${label(scale.middle)}, orange: above; line: the boundary. Dots: the rows, squares of the upper class.`
      : `Blue: ${label(scale.middle - scale.reach)}, orange: ${label(scale.middle + scale.reach)}. Dots: the rows, in the colour of their targets.`
    : kind === "line" ? `Line: the answer for each input. Dots: the rows.${data.threshold === null ? "" : ` Dashed: ${label(data.threshold)}, between the classes.`}${names}`
    : data.manyClasses ? "Blue: right answers, orange: wrong ones." : `Across: the target, up: the answer.${data.threshold === null ? " Dashed: where both are the same." : ""}${names}`;
  $("answers-legend").textContent = legend;
  $("answers").setAttribute("aria-label", `${title}. ${legend}`);
}

function drawNeuron(field) {
  const canvas = $("neuron"), [low, high] = range(field.filter(Number.isFinite));
  const vertical = wider([low, high], 0.1);
  if (kind === "plane") {
    const reach = Math.max(Math.abs(low), Math.abs(high)) || 1, colourOf = shade(0, reach);
    planeIn(canvas, (i) => colourOf(field[i]), low < 0 && high > 0 ? field : null, 0);
  } else if (kind === "line") lineIn(canvas, [field], vertical, false);
  else scatterIn(canvas, [field], vertical, false, "target");
  const what = `From ${pretty(low)} to ${pretty(high)}.`;
  const how = kind === "plane" ? " Blue: below 0, orange: above." : kind === "line" ? " Its output for each input." : " Its output for each row, beside the target.";
  $("neuron-legend").textContent = what + how;
  canvas.setAttribute("aria-label", `What neuron ${name(state.selected)} computes. ${what}${how}`);
}

function drawCurve() {
  const losses = [...state.losses, state.loss].filter(Number.isFinite), count = losses.length;
  if (!count) losses.push(1);
  const [low, high] = range(losses), log = low > 0 && high / low > 20;
  const vertical = log ? [low / 1.2, high * 1.2] : [Math.min(0, low), high > Math.min(0, low) ? high + 0.05 * (high - Math.min(0, low)) : 1];
  const plot = plotIn($("curve"), 170, [0, Math.max(10, count - 1)], log ? widened(vertical) : vertical, {log, below: "step"});
  const every = Math.max(1, Math.floor(count / 1500)), xs = [], ys = [];
  for (let i = 0; i < count; i += every) { xs.push(i); ys.push(losses[i]); }
  xs.push(count - 1);
  ys.push(losses[count - 1]);
  if (count) {
    inside(plot, () => path(plot, xs, ys, colour("var(--blue)")));
    plot.context.beginPath();
    plot.context.arc(plot.x(count - 1), plot.y(losses[count - 1]), 3.5, 0, 2 * Math.PI);
    plot.context.fillStyle = colour("var(--blue)");
    plot.context.fill();
  }
  frame(plot);
  $("curve").setAttribute("aria-label", `The loss over ${state.steps} steps${count > 1 ? `, from ${shown(losses[0])} to ${shown(losses[count - 1])}` : ""}${log ? ", on a logarithmic scale" : ""}.`);
}
// A logarithmic range needs a power of ten in it to be read.
function widened([low, high]) {
  return powers([low, high]).length ? [low, high] : [10 ** Math.floor(Math.log10(low)), high];
}

// --- the network ------------------------------------------------------------------------------

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
const neuronAt = (index) => data.layers[layerOf[index]][placeOf[index]];

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
      edges.push({w, line: svg("line", lines, {x1, y1, x2, y2, "data-label": `${d ? name(index - placeOf[index] - data.layers[d - 1].length + j) : inputName(j)} to ${name(index)}`})});
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
  const widest = edges.reduce((most, {w}) => Math.max(most, Math.abs(state.numbers[w])), 0);
  for (const {w, line} of edges) {
    const weight = state.numbers[w];
    line.setAttribute("stroke", colour(weight < 0 ? "var(--negative)" : weight > 0 ? "var(--positive)" : "var(--aside)"));
    line.setAttribute("stroke-width", (0.4 + (Number.isFinite(weight) && widest ? 4.6 * Math.abs(weight) / widest : 0)).toFixed(2));
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
  const {w, b} = neuronAt(index), depth = layerOf[index];
  const first = index - placeOf[index] - (depth ? data.layers[depth - 1].length : 0);
  const terms = w.map((place, j) => [state.numbers[place], `·${depth ? name(first + j) : inputName(j)}`]);
  const listed = terms.length > 4 ? [...terms.slice(0, 3), null, terms[terms.length - 1]] : terms;
  if (b !== null) listed.push([state.numbers[b], ""]);
  const text = listed.map((term, i) => term === null ? " + …" : `${term[0] < 0 ? i ? " − " : "−" : i ? " + " : ""}${shown(Math.abs(term[0]))}${term[1]}`).join("");
  const activation = activationOf(index);
  return `${name(index)} = ${activation === "linear" ? text : `${activation}(${text})`}`;
}

// --- all together -----------------------------------------------------------------------------

function draw() {
  const fields = Array.from({length: nNeurons}, (_, i) => i >= firstOutput || i === state.selected ? new Array(points.length) : null);
  atPoints(points, (output, i) => fields.forEach((field, k) => { if (field) field[i] = output[k]; }));
  drawNetwork();
  drawAnswers(fields);
  $("neuron-title").textContent = `What neuron ${name(state.selected)} computes`;
  drawNeuron(fields[state.selected]);
  $("formula").textContent = formula(state.selected);
  drawCurve();
  const right = accuracy(), status = $("status");
  $("count").textContent = `step ${state.steps}`;
  $("loss").textContent = `loss ${pretty(state.loss)}`;
  $("accuracy").textContent = right === null ? "" : `accuracy ${Number((100 * right).toFixed(1))}%`;
  $("trouble").textContent = state.trouble;
  status.dataset.step = state.steps;
  status.dataset.loss = written(state.loss);
  if (right !== null) status.dataset.accuracy = written(right);
}

let playing = false, due = 0;
const still = matchMedia("(prefers-reduced-motion: reduce)");
function play(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", on);
  $("status").setAttribute("aria-live", on ? "off" : "polite");  // numbers on the run are noise
  if (on) requestAnimationFrame(tick);
  else draw();
}
// A frame of the animation; pictures are drawn less often where they take long, or nothing shall move.
function tick(now) {
  if (!playing) return;
  if (!train(Number($("speed").value))) { play(false); return; }
  if (now >= due) {
    const began = performance.now();
    draw();
    due = now + (still.matches ? 500 : 2 * (performance.now() - began) - 12);
  }
  requestAnimationFrame(tick);
}

$("title").textContent = data.title;
$("settings").textContent = `${data.loss}, ${rows.length} rows${data.l2 ? `, l2 ${data.l2}` : ""}; ${data.optimizer}, all rows in every step`;
data.choices.forEach((choice, i) => element("option", $("activation"), choice, {value: i}));
$("rate").append(dial({label: "learning rate", value: data.rate, min: Math.min(1e-4, data.rate), max: Math.max(10, data.rate), log: true, changed: (x) => { state.rate = x; }}).box);
$("play").addEventListener("click", () => play(!playing));
$("step").addEventListener("click", () => { playing = false; train(Number($("speed").value)); play(false); });
$("reset").addEventListener("click", () => { reset(); play(false); });
$("seed").addEventListener("change", () => {
  const seed = $("seed");
  seed.setAttribute("aria-invalid", !seed.validity.valid);
  if (seed.validity.valid) { reset(); draw(); }
});
$("activation").addEventListener("change", () => { state.choice = Number($("activation").value); reset(); draw(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours = {}; draw(); });
new ResizeObserver(() => { if ($("network").clientWidth !== Number($("network").getAttribute("width"))) { buildNetwork(); draw(); } }).observe(document.body);
state.selected = 0;
describeAnswers();
begin(data.start);
buildNetwork();
draw();
