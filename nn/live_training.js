// The training: what fit does, by the programs that were recorded.

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

// Begin again, with the seed in its field; with none, from the parameters that the model had.
function reset() {
  const seed = $("seed");
  seed.setAttribute("aria-invalid", !seed.validity.valid);
  if (seed.validity.valid) begin(seed.value === "" ? data.start : drawn(Number(seed.value)));
  else state.trouble = "a seed is a whole number from 0 to 4294967295";
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
const hasClasses = classTargets || (new Set(targets[0]).size === 2 && nTargets === 1);
const argmax = (numbers) => numbers.indexOf(Math.max(...numbers));  // -1 with a nan among them
const classOf = (i) => data.manyClasses ? argmax(targets.map((target) => target[i])) : targets[0][i] > (spread[0] + spread[1]) / 2 ? 1 : 0;

function accuracy() {
  if (!classTargets) return null;
  const right = rows.filter((row, i) => data.manyClasses ? argmax(Array.from(state.answers[i])) === classOf(i)
    : (state.answers[i][0] > data.threshold) === (targets[0][i] === data.upper));
  return right.length / rows.length;
}
