// The panels, the status, and the hand.

// --- the panels -------------------------------------------------------------------------------

function drawAnswers(fields) {
  const answers = fields.slice(firstOutput), canvas = $("answers");
  if (kind === "plane" && data.manyClasses) {
    const inks = SERIES.map((series) => mixed(parts("var(--undecided)"), parts(series), 0.6));
    planeIn(canvas, (i) => inks[argmax(answers.map((field) => field[i])) % inks.length] || parts("var(--cut)"));
  } else if (kind === "plane") {
    const colourOf = shade(scale.middle, scale.reach), ofCell = (i) => colourOf(answers[0][i]);
    planeIn(canvas, ofCell, hasClasses ? answers[0] : null, scale.middle);
  } else if (kind === "line" && data.manyClasses) lineIn(canvas, softmax(answers), [-0.1, 1.15], true);
  else if (kind === "line") lineIn(canvas, answers, wider(range([...targets.flat(), ...(data.threshold === null ? [] : [data.threshold])]), 0.25), true);
  else if (data.manyClasses) tableIn(canvas);
  else scatterIn(canvas, answers, wider(spread, 0.35), data.threshold === null);
}
function softmax(logits) {
  const weights = logits[0].map((_, i) => { const column = logits.map((field) => field[i]), top = Math.max(...column); return column.map((x) => Math.exp(x - top)); });
  const totals = weights.map((column) => column.reduce((a, b) => a + b, 0));
  return logits.map((_, k) => weights.map((column, i) => column[k] / totals[i]));
}
function describeAnswers() {
  const title = {plane: "What it answers", line: data.manyClasses ? "The probability of each class" : "The line that it has fitted", scatter: data.manyClasses ? "Answers by class" : "Answers beside the targets"}[kind];
  $("answers-title").textContent = title;
  const names = data.outputs === 1 ? "" : ` One colour for each of ${data.outputs} outputs.`;
  const legend = kind === "plane" ? data.manyClasses ? "Colour: the class that is answered. Dots: the rows, in the colour of their class."
      : hasClasses ? `Blue: below ${label(scale.middle)}, orange: above; line: the boundary. Dots: the rows, squares of the upper class.`
      : `Blue: ${label(scale.middle - scale.reach)}, orange: ${label(scale.middle + scale.reach)}. Dots: the rows, in the colour of their targets.`
    : kind === "line" && data.manyClasses ? "Lines: the softmax of the outputs, a colour for each class. Dots: the rows, in the colour of their class."
    : kind === "line" ? `Line: the answer for each input. Dots: the rows.${data.threshold === null ? "" : ` Dashed: ${label(data.threshold)}, between the classes.`}${names}`
    : data.manyClasses ? "Down: the true class; across: the answered one. Blue: right, orange: wrong." : `Across: the target, up: the answer.${data.threshold === null ? " Dashed: where both are the same." : ""}${names}`;
  $("answers-legend").textContent = legend;
  $("answers").setAttribute("aria-label", `${title}. ${legend}`);
}

function drawNeuron(field) {
  const canvas = $("neuron"), [low, high] = range([...field]), finite = field.filter(Number.isFinite);
  const vertical = wider(range(finite.length ? finite : [0]), 0.1);
  if (kind === "plane") {
    const reach = Math.max(...finite.map(Math.abs)) || 1, colourOf = shade(0, reach);
    planeIn(canvas, (i) => colourOf(field[i]), low < 0 && high > 0 ? field : null, 0);
  } else if (kind === "line") lineIn(canvas, [field], vertical, false);
  else scatterIn(canvas, [field], vertical, false);
  const what = `From ${pretty(low)} to ${pretty(high)}.`;
  const how = kind === "plane" ? " Blue: below 0, orange: above." : kind === "line" ? " Its output for each input." : " Its output for each row.";
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

// --- all together -----------------------------------------------------------------------------

function draw() {
  const fields = Array.from({length: nNeurons}, () => new Array(points.length));
  atPoints(points, (output, i) => fields.forEach((field, k) => { field[i] = output[k]; }));
  drawNetwork(fields);
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
$("seed").addEventListener("change", () => { reset(); draw(); });
$("activation").addEventListener("change", () => { state.choice = Number($("activation").value); reset(); draw(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours = {}; draw(); });
new ResizeObserver(() => { if ($("network").clientWidth !== Number($("network").getAttribute("width"))) { buildNetwork(); draw(); } }).observe(document.body);
state.selected = 0;
describeAnswers();
begin(data.start);
buildNetwork();
draw();
