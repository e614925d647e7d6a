const {names, drawn} = data, count = names.length, root = drawn - 1;
const kinds = data.kinds.map(kind => ({
  ...kind, value: functions[kind.value], kink: kind.kink.map(name => functions[name]),
  slopes: kind.slopes.map(([name, places]) => [functions[name], places])}));
const infinite = {inf: Infinity, "-inf": -Infinity, nan: NaN};
const read = text => text in infinite ? infinite[text] : Number(text);

// A node has a kind and operands: places of nodes, or texts of constants. Leaves have neither.
const kindOf = data.nodes.map(node => node.length === 2 ? kinds[node[0]] : null);
const operandsOf = data.nodes.map(node => node.length === 2 ? node[1] : []);
const start = data.nodes.map(node => node.length === 1 ? node[0] : 0);
const isNode = operand => typeof operand === "number";
const inputs = operandsOf.map(operands => operands.map(x => isNode(x) ? 0 : read(x)));
const usesOf = names.map(() => new Set());
for (let i = 0; i < drawn; i++) for (const x of operandsOf[i]) if (isNode(x)) usesOf[x].add(i);

// --- both passes ----------------------------------------------------------------------------------

const INSIDE = 0, OUTSIDE = 1, SPOILT = 2;  // in its domain; not; computed from what is not
const values = Float64Array.from(start), grads = new Float64Array(count), right = new Float64Array(count);
const domain = new Uint8Array(count), reached = new Uint8Array(count), slopeless = new Uint8Array(count);
const slopes = operandsOf.map(operands => operands.map(() => null));

const call = (f, numbers) => f.out = f(numbers, f.out);  // the same array is written at each call

function forwardPass() {
  for (let i = 0; i < count; i++) {
    const kind = kindOf[i], operands = operandsOf[i], numbers = inputs[i];
    if (!kind) continue;
    domain[i] = INSIDE;
    operands.forEach((x, position) => {
      if (!isNode(x)) return;
      numbers[position] = values[x];
      if (domain[x] !== INSIDE) domain[i] = SPOILT;
    });
    const out = call(kind.value, numbers);
    if (domain[i] === INSIDE && out.outside >= 0) domain[i] = OUTSIDE;
    values[i] = domain[i] === INSIDE ? out[0] : NaN;  // Python has raised an error: there is no number
    if (i < drawn) localDerivatives(i, kind, numbers);
  }
}

function localDerivatives(i, kind, numbers) {
  slopeless[i] = 0;
  const found = slopes[i];
  found.fill(null);  // no adjoint for what is not said
  for (const [f, places] of kind.slopes) {
    const out = call(f, numbers);
    if (out.guard >= 0) continue;
    if (places === null || out.outside >= 0 || domain[i] !== INSIDE) break;
    // As backward() does: what was not chosen receives no adjoint, not even one of 0.
    places.forEach((place, j) => { found[place] = kind.chooses && out[j] === 0 ? null : out[j]; });
    return;
  }
  slopeless[i] = 1;
  found.fill(NaN);
}

// The operands in the order in which backward() adds to them: of a dot, pair after pair.
const inOrder = operandsOf.map((operands, i) => {
  const places = operands.map((_, place) => place).filter(place => isNode(operands[place]));
  const half = operands.length / 2;
  return kindOf[i]?.paired ? places.sort((a, b) => (a % half - b % half) || a - b) : places;
});

// The backward pass right, or with = for +=; tell(node, place of its operand, share) hears of it.
function backwardPass(sums, isOverwritten, tell) {
  sums.fill(0);
  reached.fill(0);
  sums[root] = reached[root] = 1;
  for (let i = root; i >= 0; i--) {
    if (tell) tell(i, -1);
    if (!reached[i]) continue;
    for (const place of isOverwritten ? operandsOf[i].keys() : inOrder[i]) {
      const to = operandsOf[i][place], slope = slopes[i][place];
      if (!isNode(to) || slope === null) continue;
      reached[to] = 1;
      sums[to] = isOverwritten ? sums[i] * slope : sums[to] + sums[i] * slope;
      if (tell) tell(i, place);
    }
  }
}

// Without topological order: each node at once hands on all that it has. Walks every path.
function recursion(sums, tell) {
  sums.fill(0);
  sums[root] = 1;
  const stack = [[root, 0]];
  let walked = 0;
  while (stack.length && walked < data.mostSteps) {
    const top = stack[stack.length - 1], [i, place] = top;
    if (place === operandsOf[i].length) { stack.pop(); continue; }
    top[1]++;
    const to = operandsOf[i][place], slope = slopes[i][place];
    if (!isNode(to) || slope === null) continue;
    sums[to] += sums[i] * slope;
    walked++;
    if (tell) tell(i, place);
    stack.push([to, 0]);
  }
  return stack.length ? walked : 0;  // where it gave up
}

let mistake = "", gaveUp = 0;
function runBackward(tell) {
  gaveUp = 0;
  if (mistake === "unordered") gaveUp = recursion(grads, tell);
  else backwardPass(grads, mistake === "overwritten", tell);
}

function firstWrong() {
  for (let i = root; i >= 0; i--) if (isWrong(i)) return i;
  return -1;
}
const isWrong = i => Math.abs(grads[i] - right[i]) > 1e-9 * Math.abs(right[i]);

// --- words ----------------------------------------------------------------------------------------

function six(x) {  // a number with up to six digits, as explain() writes it
  if (!Number.isFinite(x)) return written(x);
  const text = x === 0 ? "0" : String(Number(x.toPrecision(6))), size = Math.abs(x);
  return withPowersOfTen(size >= 1e6 || (size < 1e-4 && size > 0) ? Number(x.toPrecision(6)).toExponential() : text);
}
const inBrackets = text => text.startsWith("-") ? `(${text})` : text;
function asFactor(text) {  // a sum in brackets
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    depth += "([".includes(text[i]) - ")]".includes(text[i]);
    if (depth === 0 && (i === 0 ? text[0] === "-" : / [-+] /.test(text.slice(i, i + 3)))) return `(${text})`;
  }
  return text;
}
const nameOf = x => isNode(x) ? names[x] : six(read(x));

function applied(i, write) {  // the operation on what is written for its operands
  const kind = kindOf[i], texts = operandsOf[i].map(write), half = texts.length / 2;
  const listed = texts.length > 8 ? [...texts.slice(0, 8), "..."] : texts;
  if (kind.paired) {
    const terms = texts.slice(0, half).map((a, j) => `${j ? inBrackets(a) : a} * ${inBrackets(texts[half + j])}`);
    return terms.length > 4 ? [...terms.slice(0, 4), "..."].join(" + ") : terms.join(" + ") || "0";
  }
  return kind.text.replace(/\{(\w+)\}|\{\{|\}\}/g, (all, field) => {
    if (field === undefined) return all[0];
    return field === "all" ? listed.join(", ") : kind.tight && (field > 0 || !/^\{0\} ?[-+*/] /.test(kind.text))
      ? inBrackets(texts[field]) : texts[field];
  });
}
const inNames = i => applied(i, nameOf);
const inNumbers = i => applied(i, x => six(isNode(x) ? values[x] : read(x)));

// The derivative of a node by one below it: as it is taught, "" where that is not known; as a number.
const slopeInNames = (i, x) => data.slopes[i].find(([place]) => place === x)?.[1] || "";
const placesOf = (i, x) => [...operandsOf[i].keys()].filter(place => operandsOf[i][place] === x && slopes[i][place] !== null);
const slopeBy = (i, x) => placesOf(i, x).reduce((sum, place) => sum + slopes[i][place], 0);
// What the row of an operation says of its operand x, of this operand.
const inPlace = (text, i) => kindOf[i].parameter ? text.replace(/(?<![\w.])x(?!\w)/g, () => nameOf(operandsOf[i][0])) : text;
const ratio = (a, b, d = "d") => `${d}${a}/${d}${b}`;
const value = i => domain[i] === INSIDE ? shown(values[i]) : domain[i] === OUTSIDE ? "outside" : "unknown";
const brief = x => {  // as wide as a box
  const text = shown(x);
  return text.length <= 10 ? text : withPowersOfTen(x.toExponential(3));
};

// --- the drawing ----------------------------------------------------------------------------------

const board = $("board"), boxes = new Map(), dials = new Map(), arrows = [], factors = [], constants = [];
const shownNodes = data.shown;

function makeNode(i) {
  const isLeaf = !kindOf[i];
  const box = element("div", board, "", {
    class: `node ${isLeaf ? "leaf" : "computed"}${i === root ? " root" : ""}${i > root ? " compared" : ""}`,
    role: "group", tabindex: "-1", "data-node": i, "data-label": names[i], title: names[i],
    "aria-label": `${names[i]}${isLeaf ? ", leaf" : " = " + inNames(i)}`, "aria-describedby": "panel"});
  const top = element("div", box, "", {class: "top"});
  let number = null;
  if (isLeaf) {
    const made = dial({label: names[i], value: start[i], changed: x => { values[i] = x; changed(); }});
    top.append(made.name, made.field);
    box.append(made.slider);
    dials.set(i, made);
  } else {
    element("span", top, names[i], {class: "name"});
    element("span", top, kindOf[i].symbol, {class: "symbol"});
    number = element("div", box, "", {class: "value"});
  }
  boxes.set(i, {box, number, grad: element("div", box, "", {class: "grad"}), seen: {}});
}

function makeArrow([from, to, place], k) {
  const svg = "http://www.w3.org/2000/svg";
  const path = document.createElementNS(svg, "path");
  path.setAttribute("class", "arrow");
  arrows[k] = path;
  $("arrows").append(path);
  if (from === null) {
    constants.push(element("div", board, six(read(operandsOf[to][place])), {class: "constant"}));
    return;
  }
  factors[k] = element("div", board, "", {class: "factor", "data-from": from, "data-to": to, "data-place": place});
}

function lay(direction) {
  const plan = data.layouts[direction] || Object.values(data.layouts)[0];
  const put = (box, [left, top], width) => Object.assign(box.style, {left: left + "px", top: top + "px"}, width && {width: width + "px"});
  board.classList.toggle("dense", plan.dense);
  Object.assign(board.style, {width: plan.size[0] + "px", height: plan.size[1] + "px"});
  $("arrows").setAttribute("width", plan.size[0]);
  $("arrows").setAttribute("height", plan.size[1]);
  shownNodes.forEach((i, k) => {
    put(boxes.get(i).box, plan.boxes[k], plan.widths[k]);
    boxes.get(i).box.style.height = (kindOf[i] ? data.heights[1] : data.heights[0]) + "px";
  });
  constants.forEach((box, k) => {
    put(box, plan.boxes[shownNodes.length + k], plan.widths[shownNodes.length + k]);
    box.style.height = data.heights[2] + "px";
  });
  plan.arrows.forEach(([path, x, y], k) => {
    arrows[k].setAttribute("d", path);
    if (!factors[k]) return;
    put(factors[k], [x, y]);
  });
  for (const frame of board.querySelectorAll(".frame")) frame.remove();
  for (const [name, left, top, width, height] of plan.frames) {
    const frame = element("div", null, name, {class: "frame"});
    put(frame, [left, top], width);
    frame.style.height = height + "px";
    board.prepend(frame);
  }
}

// Writes what differs from what stands there: most of a large graph stays as it is.
function write(seen, key, text, put) {
  if (seen[key] === text) return;
  seen[key] = text;
  put(text);
}

function drawNode(i, state) {
  const {box, number, grad, seen} = boxes.get(i);
  const isKnown = !state || state.known[i], sum = state ? state.sums[i] : grads[i];
  const flags = {
    outside: isKnown && domain[i] !== INSIDE, kink: isKnown && sides[i] === 0 && domain[i] === INSIDE,
    unreached: sum === null || (!state && !mistake && !reached[i]), wrong: !state && mistake && isWrong(i),
    waiting: !isKnown, current: state && i === state.step.node,
    receives: state && i !== state.step.node && state.receivers.has(i),
    selected: !state && i === selected};
  const text = sum === null ? "–" : domain[root] === INSIDE ? brief(sum) : "unknown";
  for (const name in flags) write(seen, name, Boolean(flags[name]), on => box.classList.toggle(name, on));
  write(seen, "value", isKnown ? written(values[i]) : "", x => box.setAttribute("data-value", x));
  write(seen, "adjoint", sum === null ? "" : domain[root] === INSIDE ? written(sum) : "nan", x => box.setAttribute("data-grad", x));
  if (number) {
    write(seen, "number", "data " + (!isKnown ? "?" : domain[i] === INSIDE ? brief(values[i]) : value(i)), x => { number.textContent = x; });
  }
  write(seen, "grad", "grad " + text, x => { grad.textContent = x; });
}

function drawFactor(k) {
  const text = factors[k];
  if (!text) return;
  const [, to, place] = data.arrows[k], slope = slopes[to][place];
  write(text, "seenFactor", slope === null ? "none" : written(slope), x => {
    text.setAttribute("data-factor", x);
    text.textContent = slope === null ? "none" : Number.isNaN(slope) ? "no slope" : "× " + brief4(slope);
  });
}
const brief4 = x => {
  const text = six(Number(x.toPrecision(4)));
  return text.length <= 8 ? text : withPowersOfTen(Number(x.toPrecision(3)).toExponential());
};

// --- notes: branches, kinks, domains, mistakes ------------------------------------------------------

const sides = new Float64Array(count).fill(NaN), lastSide = new Float64Array(count);
let crossed = new Set();

function kinkSide(i) {  // the side of its kink on which a node is; 0 on the kink, nan where it has none
  const kind = kindOf[i];
  if (!kind || !kind.kink.length || domain[i] !== INSIDE) return NaN;
  for (const f of kind.kink) {
    const out = call(f, inputs[i]);
    if (out.guard >= 0) continue;
    const size = Math.max(1, ...inputs[i].map(Math.abs));
    return Math.abs(out[0]) <= 1e-9 * size ? 0 : Math.sign(out[0]);
  }
  return NaN;
}

function lookAtKinks() {
  const now = [];
  for (let i = 0; i < drawn; i++) {
    sides[i] = kinkSide(i);
    if (sides[i] && lastSide[i] && sides[i] !== lastSide[i]) now.push(i);
    if (sides[i]) lastSide[i] = sides[i];
  }
  if (now.length) crossed = new Set(now);
}

const relations = {"<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b,
                   ">=": (a, b) => a >= b, "==": (a, b) => a === b, "!=": (a, b) => a !== b};
const side = x => isNode(x) ? values[x] : read(x);
const brokenGuards = () => data.guards.filter(([relation, a, b, outcome]) => relations[relation](side(a), side(b)) !== outcome);

function notes() {
  const found = [];
  const broken = brokenGuards();
  for (const [, , , outcome, text] of broken) {
    found.push(["branch", `${text} is now ${!outcome}: the function takes another branch here. This graph is the branch where it is ${outcome}, and its numbers are not the function's.`]);
  }
  document.body.classList.toggle("other-branch", broken.length > 0);
  document.body.dataset.branch = broken.length ? "other" : "shown";
  for (let i = 0; i < drawn; i++) {
    const kind = kindOf[i];
    if (domain[i] === OUTSIDE) {
      const out = call(kind.value, inputs[i])[0], isHuge = Math.abs(out) === Infinity;
      found.push(["outside", `${names[i]} = ${inNames(i)} = ${inNumbers(i)} has no value: ` + (kind.domain
        ? `it needs ${inPlace(kind.domain, i)}` + (isHuge ? ", and a result that is not too large." : ".") : "the result is too large for a float.")]);
    } else if (kind && slopeless[i] && domain[i] === INSIDE && reached[i]) {
      found.push(["outside", `${names[i]} = ${inNames(i)} = ${inNumbers(i)} has no derivative here.`]);
    } else if (kind && sides[i] === 0) {
      found.push(["kink", `${names[i]} = ${inNames(i)} sits on its kink. The derivative that is taken: ${inPlace(kind.atKink || "that of one side", i)}.`]);
    } else if (crossed.has(i)) {
      found.push(["crossed", `${names[i]} = ${inNames(i)} has crossed its kink: ${operandsOf[i].map((x, place) => isNode(x) && slopes[i][place] !== null ? `${ratio(names[i], names[x])} is ${six(slopes[i][place])}` : "").filter(Boolean).slice(0, 3).join(", ")} on this side.`]);
    }
  }
  if (mistake && domain[root] === INSIDE) found.push(["wrong", verdict()]);
  const shownNotes = found.length > 4 ? [...found.slice(0, 4), ["more", `and ${found.length - 4} more`]] : found;
  const text = JSON.stringify(shownNotes);
  if (text === notes.before) return;
  notes.before = text;
  $("notes").replaceChildren(...shownNotes.map(([kind, text]) => element("p", null, text, {class: "note " + kind})));
}

function branch() {
  if (!data.guards.length && kindOf.some(kind => kind?.choice)) {
    return " Where there is a choice, the arm stays that was taken: the graph does not hold the condition.";
  }
  const said = data.guards.slice(0, 3).map(([, , , outcome, text]) => `${text} is ${outcome}`);
  return said.length ? ` The branch of the function that is shown: ${said.join(", ")}${data.guards.length > 3 ? ", ..." : ""}.` : "";
}

function verdict() {
  const what = mistake === "unordered" ? "Without topological order" : "With = in place of +=", i = firstWrong();
  if (i < 0) return `${what}: all adjoints are right here. The graph is too simple for the mistake to show: it needs a node that is used twice.`;
  return `${what}: the first wrong adjoint is that of ${names[i]}: ${six(grads[i])}, right is ${six(right[i])}` +
    (gaveUp ? ` (given up after ${gaveUp} steps: it walks every path).` : ".");
}

function summary() {
  const leaves = shownNodes.filter(i => !kindOf[i] && i < root), parts = [["value", `${names[root]} = ${domain[root] === INSIDE ? shown(values[root]) : "no value here"}`]];
  let room = 110;  // letters
  for (const i of domain[root] === INSIDE ? leaves : []) {
    const text = `${ratio(names[root], names[i])} = ${shown(grads[i])}`;
    room -= text.length;
    if (room < 0) { parts.push(["grad", `... (${leaves.length} leaves)`]); break; }
    parts.push([mistake && isWrong(i) ? "grad wrong" : "grad", text]);
  }
  $("summary").replaceChildren(...parts.map(([kind, text]) => element("span", null, text, {class: kind})));
}

// --- the line of the chain rule ---------------------------------------------------------------------

const MOST_TERMS = 6;

function chain(panel, i) {
  const users = [...usesOf[i]].filter(c => reached[c] && operandsOf[c].some((x, place) => x === i && slopes[c][place] !== null)).sort((a, b) => b - a);
  const y = names[root], box = element("div", panel, "", {class: "chain"});
  const line = (head, text) => { element("span", box, head); element("span", box, text); };
  const head = ratio(y, names[i]);
  if (i === root) { line(head, "= 1: the result changes as much as itself"); return; }
  if (!users.length) { line(head, `= 0: no change of ${names[i]} reaches ${y}`); return; }
  const few = users.slice(0, MOST_TERMS), more = users.length > few.length ? ` + ... (${users.length} terms)` : "";
  const total = term => few.map(term).join(" + ") + more;
  const part = c => ratio(names[c], names[i], isPartial(c, i) ? "∂" : "d");
  const chained = total(c => c === root ? part(c) : `${ratio(y, names[c])} · ${part(c)}`);
  if (chained !== head) line(head, "= " + chained);
  line(chained !== head ? "" : head, "= " + total(c => {
    const factor = slopeInNames(c, i) || six(slopeBy(c, i));
    return c === root ? few.length > 1 ? asFactor(factor) : factor : `${ratio(y, names[c])} · ${asFactor(factor)}`;
  }));
  line("", "= " + total(c => (c === root ? "" : inBrackets(six(right[c])) + " · ") + inBrackets(six(slopeBy(c, i)))));
  line("", "= " + written(right[i]));
  if (mistake && isWrong(i)) line("", `but ${written(grads[i])} ${mistake === "unordered" ? "without topological order" : "with = in place of +="}`);
}

function isPartial(c, i) {  // whether c depends on i along other ways, too
  const stack = operandsOf[c].filter(x => isNode(x) && x !== i), seen = new Set(stack);
  while (stack.length) {
    for (const x of operandsOf[stack.pop()]) {
      if (x === i) return true;
      if (isNode(x) && x > i && !seen.has(x)) { seen.add(x); stack.push(x); }
    }
  }
  return false;
}

let selected = root;

function explainNode(i) {
  const panel = $("panel");
  panel.replaceChildren();
  element("h2", panel, kindOf[i] ? `${names[i]} = ${inNames(i)}` : `${names[i]}, a leaf`);
  element("p", panel, (kindOf[i] ? `= ${inNumbers(i)} ` : names[i] + " ") + (domain[i] === INSIDE ? `= ${written(values[i])}` : "has no value here"));
  if (kindOf[i]?.choice) element("p", panel, "A choice: the arm that was not taken receives no adjoint." + (data.guards.length ? "" : " The graph does not hold the condition, and stays with the arm that was taken."), {class: "aside"});
  if (i > root) element("p", panel, `${names[root]} was not computed from it; it is only compared.`);
  else if (domain[root] !== INSIDE) element("p", panel, `${names[root]} has no value here, and so no derivative.`);
  else chain(panel, i);
}

// --- step by step -----------------------------------------------------------------------------------

const MOST_SHOWN_STEPS = 2000;
let at = null, steps = [], timer = null;

function makeSteps() {
  steps = [];
  for (let i = 0; i < drawn; i++) steps.push({pass: "forward", node: i, sends: []});
  if (domain[root] !== INSIDE) return;
  let left = 0;
  runBackward((node, place) => {
    if (place < 0) { steps.push({pass: "backward", node, sends: []}); return; }
    if (steps.length >= MOST_SHOWN_STEPS + drawn && mistake === "unordered") { left++; return; }
    if (mistake === "unordered") steps.push({pass: "backward", node, sends: []});
    const to = operandsOf[node][place], slope = slopes[node][place];
    steps[steps.length - 1].sends.push({to, place, slope, share: grads[node] * slope, sum: grads[to]});
  });
  if (left) steps.push({pass: "backward", node: root, sends: [], left, sums: Array.from(grads)});
}

function stateAt(k) {
  const known = new Array(count).fill(false), sums = new Array(count).fill(null), step = steps[k];
  for (let i = drawn; i < count; i++) known[i] = true;
  for (let s = 0; s <= k; s++) {
    const {pass, node, sends, sums: final} = steps[s];
    if (pass === "forward") { known[node] = true; continue; }
    if (node === root && sums[root] === null) sums[root] = 1;
    for (const {to, sum} of sends) sums[to] = sum;
    if (final) final.forEach((sum, i) => { sums[i] = sum; });
  }
  return {known, sums, step, receivers: new Set(step.sends.map(send => send.to))};
}

function explainStep({step, sums}) {
  const panel = $("panel"), i = step.node;
  panel.replaceChildren();
  const heading = element("h2", panel);
  element("span", heading, step.pass + " pass: ", {class: step.pass});
  element("span", heading, names[i]);
  const rows = (titles, lines) => {
    const table = element("table", panel), head = element("tr", table);
    for (const title of titles) element("th", head, title);
    for (const line of lines) { const row = element("tr", table); for (const text of line) element("td", row, text); }
  };
  const slope = x => x === null ? "none" : Number.isNaN(x) ? "no slope" : shown(x);
  if (step.pass === "forward") {
    element("p", panel, kindOf[i] ? `${names[i]} = ${inNames(i)} = ${inNumbers(i)} = ${value(i)}` : `a leaf with the value ${value(i)}`);
    const lines = [...new Set(operandsOf[i].filter(isNode))].map(x => {
      const text = slopeInNames(i, x), isSent = placesOf(i, x).length > 0;
      return [names[x], value(x), text ? `${ratio(names[i], names[x])} = ${text}` : "", slope(isSent ? slopeBy(i, x) : null)];
    });
    if (lines.length) rows(["operand", "value", "local derivative", ""], lines);
    return;
  }
  if (step.left) { element("p", panel, `... and ${step.left.toLocaleString("en")} steps more: it walks every path.`); return; }
  if (sums[i] === null) { element("p", panel, "No adjoint arrives here: it is in an arm that was not taken."); return; }
  element("p", panel, (i === root ? `The result's own adjoint is ${shown(sums[i])}` : mistake === "unordered"
    ? `Its adjoint so far is ${shown(sums[i])}, and it does not wait for more`
    : `All its consumers have sent; its adjoint is ${shown(sums[i])}`) + (step.sends.length ? ". It sends to its operands:" : "."));
  if (step.sends.length) {
    rows(["operand", "local derivative", "adjoint × local", mistake === "overwritten" ? "operand's adjoint, overwritten" : "operand's sum so far"],
      step.sends.map(send => [names[send.to], slope(send.slope), slope(send.share), slope(send.sum)]));
  }
}

function drawArrows(state) {
  const focus = state ? state.step.node : selected;
  arrows.forEach((path, k) => {
    const [from, to, place] = data.arrows[k], isNear = from === focus || to === focus;
    path.classList.toggle("near", isNear);
    factors[k]?.classList.toggle("near", isNear);
    const flows = state && to === state.step.node && from !== null && (state.step.pass === "forward"
      || state.step.sends.some(send => send.place === place));
    for (const pass of ["forward", "backward"]) path.classList.toggle(pass, Boolean(flows) && state.step.pass === pass);
  });
}

function bringIntoView(box) {  // inside of the drawing; the page itself stays where it is
  const frame = $("drawing").getBoundingClientRect(), place = box.getBoundingClientRect(), edge = 12;
  const by = {left: 0, top: 0};
  if (place.top < frame.top + edge || place.bottom > frame.bottom - edge) by.top = (place.top + place.bottom - frame.top - frame.bottom) / 2;
  if (place.left < frame.left + edge || place.right > frame.right - edge) by.left = (place.left + place.right - frame.left - frame.right) / 2;
  if (by.left || by.top) $("drawing").scrollBy({...by, behavior: "instant"});
}

// --- what happens when ------------------------------------------------------------------------------

function redraw() {
  const state = at === null ? null : stateAt(at);
  $("drawing").className = state ? state.step.pass + "-pass" : "";
  for (const i of shownNodes) drawNode(i, state);
  factors.forEach((_, k) => drawFactor(k));
  drawArrows(state);
  summary();
  notes();
  if (state) {
    $("slider").max = steps.length - 1;
    $("slider").value = at;
    $("slider").setAttribute("aria-valuetext", `${state.step.pass} ${names[state.step.node]}`);
    $("count").textContent = `step ${at + 1} of ${steps.length}`;
    document.body.dataset.step = at;
    explainStep(state);
  } else {
    delete document.body.dataset.step;
    explainNode(selected);
  }
}

function changed() {
  forwardPass();
  if (domain[root] === INSIDE) backwardPass(right, false);
  else { right.fill(NaN); reached.fill(0); }
  const wasReached = Uint8Array.from(reached);
  if (domain[root] !== INSIDE) grads.fill(NaN);
  else if (mistake) runBackward();
  else grads.set(right);
  reached.set(wasReached);
  lookAtKinks();
  if (at !== null) { makeSteps(); reached.set(wasReached); at = Math.min(at, steps.length - 1); }
  $("reset").disabled = [...dials].every(([i]) => Object.is(values[i], start[i]));
  redraw();
}

function select(i) {
  if (!boxes.has(i) || i === selected) return;
  boxes.get(selected).box.tabIndex = -1;
  boxes.get(i).box.tabIndex = 0;
  const before = selected;
  selected = i;
  if (at !== null) return;
  drawNode(before, null);
  drawNode(i, null);
  drawArrows(null);
  explainNode(i);
}

function go(k) {
  pause();
  show(k);
}
function show(k) {
  at = Math.max(0, Math.min(steps.length - 1, k));
  redraw();
  bringIntoView(boxes.get(steps[at].node).box);
}
function pause() { clearInterval(timer); timer = null; $("play").textContent = "play"; }
function play() {
  if (timer) { pause(); return; }
  if (at === steps.length - 1) show(0);
  $("play").textContent = "pause";
  timer = setInterval(() => { if (at < steps.length - 1) show(at + 1); else pause(); }, 900);
}
function setStepping(on, k = 0) {
  pause();
  $("stepping").setAttribute("aria-pressed", on);
  $("steps").hidden = !on;
  $("hint").textContent = on ? "Arrow keys, Home and End step; space plays."
    : "Move a slider or type a number. Point at a node, or go from node to node by the arrow keys, for its line of the chain rule." + branch();
  at = on ? 0 : null;
  changed();
  if (on) show(k);
}
function setMistake(name) {
  mistake = name;
  document.body.dataset.mistake = name;
  for (const id of ["unordered", "overwritten"]) $(id).checked = id === name;
  changed();
}

shownNodes.forEach(makeNode);
data.arrows.forEach(makeArrow);
boxes.get(root).box.tabIndex = 0;
const narrow = matchMedia("(max-width: 700px)");
const layForWindow = () => lay(narrow.matches ? "TB" : "LR");
narrow.addEventListener("change", layForWindow);
layForWindow();

$("stepping").onclick = () => setStepping(at === null);
$("first").onclick = () => go(0);
$("back").onclick = () => go(at - 1);
$("play").onclick = play;
$("forward").onclick = () => go(at + 1);
$("last").onclick = () => go(steps.length - 1);
$("slider").oninput = () => go(Number($("slider").value));
for (const id of ["unordered", "overwritten"]) $(id).onchange = () => setMistake($(id).checked ? id : "");
$("reset").onclick = () => {
  for (const [i, made] of dials) { values[i] = start[i]; made.set(start[i]); }
  crossed = new Set();
  lastSide.fill(0);
  changed();
};
const nodeAt = event => event.target.closest?.(".node")?.dataset.node;
for (const kind of ["pointerover", "focusin", "click"]) {
  board.addEventListener(kind, event => { if (nodeAt(event) !== undefined) select(Number(nodeAt(event))); });
}
document.addEventListener("keydown", event => {
  if (event.target.tagName === "INPUT" || event.altKey || event.ctrlKey || event.metaKey) return;
  const move = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
  const isEnd = event.key === "Home" ? -1 : event.key === "End" ? 1 : 0;
  if (at !== null) {
    if (move) go(at + move);
    else if (isEnd) go(isEnd < 0 ? 0 : steps.length - 1);
    else if (event.key === " " && event.target.tagName !== "BUTTON") play();
    else return;
  } else {
    if (nodeAt(event) === undefined || !(move || isEnd)) return;
    const next = isEnd < 0 ? 0 : isEnd > 0 ? shownNodes.length - 1 : shownNodes.indexOf(selected) + move;
    if (next in shownNodes) boxes.get(shownNodes[next]).box.focus();
  }
  event.preventDefault();
});

const asked = /step=(\d+|last)/.exec(location.hash);
setStepping(data.stepping || Boolean(asked), 0);
if (at === null) bringIntoView(boxes.get(shownNodes.find(i => !kindOf[i])).box);
if (asked) show(asked[1] === "last" ? steps.length - 1 : Number(asked[1]) - 1);
