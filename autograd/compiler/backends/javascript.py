"""The JavaScript writer: a program as the text of a function, for pages that compute by themselves.

What is promised: the bits of the eager engine for + - * /, sqrt, comparisons and what is chosen by
them, for rounding and remainders, and for ``sum`` and ``dot``; all other functions within 1e-12 of
it (in V8, whose functions are those of the tests, within 8 units in the last place). Outside a
domain the results are what IEEE arithmetic gives, and the function says which instruction was the
first that Python refuses: an infinity that vanishes again, as in 1 / (1 + exp(1000)), is not
missed.

The text is made as ``source_writer`` says, from a checked program and from nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from autograd.compiler.backends.interface import Rewrite
from autograd.compiler.backends.source_writer import SourceWriter, checked
from autograd.compiler.program.gated_arms import counting_on_conditions
from autograd.compiler.program.program import Program
from autograd.compiler.program.steps import EITHER
from autograd.core.coefficients import GAMMALN
from autograd.core.near_zero import CLOSE, FRACTION, LOG_2, SMALLEST, TERMS
from autograd.core.primitives import LN2, lookup
from autograd.core.rounding import WHOLE

IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
RESERVED = frozenset({
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger",
    "default", "delete", "do", "else", "enum", "eval", "export", "extends", "false", "finally",
    "for", "function", "if", "implements", "import", "in", "instanceof", "interface", "let",
    "new", "null", "package", "private", "protected", "public", "return", "static", "super",
    "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
    "Math", "Float64Array", "RangeError", "Infinity", "NaN", "undefined"})
LONG = 50  # operands beyond which a sum is a call: engines parse nested operators by recursion

# Whether Python's own sum, which dot is made of, keeps what rounding takes away (from 3.12 on).
_IS_COMPENSATED = sum([1e100, 1.0, -1e100]) == 1.0

# How a primitive is written. {0}, {1} are operands, {all} all of them, {list} a list of them.
EMITTERS: dict[str, str] = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}",
    "neg": "-{0}", "identity": "{0}", "one_minus_square": "(1 - {0}) * (1 + {0})",
    "share": "{0} / ({0} + {1})",
    "step": "{0} > 0 ? 1 : {0} <= 0 ? 0 : {0}", "relu": "{0} <= 0 ? 0 : {0}",
    "wins": "{0} > {1} ? 1 : {0} < {1} ? 0 : {0} === {1} ? 0.5 : NaN",
    "where": "{0} !== 0 ? {1} : {2}", "exp2": "Math.pow(2, {0})",
    "hypot": "norm([{0}, {1}])", "erf": "erf({0})", "erfc": "erfc({0})",
    "gamma": "gamma({0})",
    "pow": "pow({all})", "sigmoid": "sigmoid({0})",
    "sigmoid_slope": "sigmoid({0}) * sigmoid(-{0})", "softplus": "softplus({0})",
    "logaddexp": "logaddexp({all})", "cosine": "cosine({all})", "gaussian": "gaussian({0})",
    "maximum": "maximum({all})", "minimum": "minimum({all})",
    "prod": "product({list})", "norm": "norm({list})", "logsumexp": "logsumexp({list})",
    "largest": "{list}.reduce(maximum, -Infinity)", "smallest": "{list}.reduce(minimum, Infinity)",
    **{name: f"Math.{name}({{0}})" for name in (
        "abs", "sign", "sqrt", "cbrt", "exp", "expm1", "log", "log2", "log10", "log1p", "sin",
        "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
        "floor", "ceil", "trunc")},
    **{name: f"{name}({{all}})" for name in (
        "rint", "rounded", "mod", "floordiv", "ieee_remainder", "copysign")},
    "fmod": "{0} % {1}",
    "atan2": "Math.atan2({all})",
    EITHER: "{0} === {0} ? {0} : {1}",
}

# What JavaScript lacks, or has in another way than Python. Each may use the others.
FUNCTIONS: dict[str, str] = {
    "pow": """\
// 1 to any power is 1, and -1 to an infinite one; Math.pow has nan there.
const pow = (a, b) => a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b);""",
    "copysign": "const copysign = (a, b) => "
                "b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a);",
    "rint": f"""\
const rint = (x) => {{
  const size = Math.abs(x);  // from {WHOLE:.0f} on every number is whole
  return size < {WHOLE:.0f} ? copysign((size + {WHOLE:.0f}) - {WHOLE:.0f}, x) : x;
}};""",
    "rounded": f"""\
// Of the product also what rounding takes away (Dekker's): a tie may be none.
const rounded = (x, scale) => {{
  const scaled = x * scale;
  if (!(Math.abs(scaled) < {2.0 * WHOLE:.0f})) return x + 0 / scale;
  const wide = 134217729 * x, high = wide - (wide - x), low = x - high;
  const tall = 134217729 * scale, top = tall - (tall - scale), rest = scale - top;
  const lost = ((high * top - scaled) + high * rest + low * top) + low * rest;
  const nearest = rint(scaled), off = scaled - nearest;
  const way = off * lost, moves = way > 0 ? 1 : way <= 0 ? 0 : way;
  const isTie = Math.abs(off) === 0.5 ? 1 : 0;
  return copysign((nearest + isTie * moves * Math.sign(off)) / scale, x);
}};""",
    "ieee_remainder": """\
const ieee_remainder = (a, b) => {
  const size = Math.abs(a), whole = Math.abs(b), rest = size % whole;
  const left = whole - rest, next = 2 * ((0.5 * (size - rest)) % whole);
  const near = rest < left ? rest : rest > left ? rest - whole : rest - next;
  return copysign(1, a) * near;
};""",
    "mod": """\
const mod = (a, b) => {
  const rest = a % b;
  if (rest === 0) return copysign(0, b);
  return (b < 0) !== (rest < 0) ? rest + b : rest;
};""",
    "floordiv": """\
const floordiv = (a, b) => {
  if (b === 0) return a / b;
  const rest = a % b, below = rest !== 0 && (b < 0) !== (rest < 0);
  const count = (a - rest) / b - (below ? 1 : 0), whole = Math.floor(count);
  if (count === 0) return copysign(0, a / b);
  return count - whole > 0.5 ? whole + 1 : whole;
};""",
    "maximum": "const maximum = (a, b) => a < b || b !== b ? b : a;",
    "minimum": "const minimum = (a, b) => a > b || b !== b ? b : a;",
    "sigmoid": """\
const sigmoid = (x) => {
  const decay = Math.exp(-Math.abs(x));  // the other form would overflow
  return (x >= 0 ? 1 : decay) / (1 + decay);
};""",
    "softplus": "const softplus = (x) => "
                "Math.log1p(Math.exp(-Math.abs(x))) + (x <= 0 ? 0 : x);",
    "logaddexp": f"""\
const logaddexp = (a, b) => {{
  const [top, low] = a < b ? [b, a] : [a, b];
  if (!(Math.abs(top) <= {CLOSE})) {{
    return a === b ? a + {LN2!r} : top + Math.log1p(Math.exp(low - top));
  }}
  const gap = low - top, rounding = (low - gap) - top, decay = Math.exp(gap);
  const result = top + Math.log1p(Math.abs(rounding) < 1 ? decay + decay * rounding : decay);
  const near = 0.5 * top < result && result < -2 * top && top <= {-SMALLEST!r};
  return near ? nearZero(top, low) : result;
}};""",
    "nearZero": f"""\
// log(exp(top) + exp(low)) where both cancel, in integers that count 2**-{FRACTION}.
const nearZero = (top, low) => {{
  const bits = new DataView(new ArrayBuffer(8)), shift = (n, by) => by < 0n ? n >> -by : n << by;
  const split = (x) => {{
    bits.setFloat64(0, x);
    const all = bits.getBigUint64(0);
    return [-(all & (2n ** 52n - 1n) | 2n ** 52n), (all >> 52n & 2047n) - 1022n];
  }};
  const reciprocals = [1n << {FRACTION}n];
  for (let n = 1n, all = 1n; n <= {TERMS}n; n++) reciprocals.push(reciprocals[0] / (all *= n));
  const series = (x, first) => {{
    let total = reciprocals[{TERMS}];
    for (let n = {TERMS - 1}; n >= first; n--) total = reciprocals[n] + (total * x >> {FRACTION}n);
    return total;
  }};
  const fixed = ([mantissa, exponent]) => shift(mantissa, exponent + {FRACTION - 53}n);
  const parts = split(top), turns = BigInt(Math.trunc(low / Math.LN2));
  const rest = fixed(split(low)) - turns * {LOG_2}n;
  const total = (parts[0] * series(fixed(parts), 1) >> 53n)
    + shift(series(rest, 0), turns - parts[1]);
  return Math.log1p(Number(total) * 2 ** -{FRACTION} * 2 ** Number(parts[1]));
}};""",
    "cosine": """\
const cosine = (a, b) => {
  if (Math.abs(a) < Math.abs(b)) {
    const ratio = a / Math.abs(b);
    return ratio / Math.sqrt(1 + ratio * ratio);
  }
  if (a === 0) return a * b;
  const ratio = b / a;
  return (a < 0 ? -1 : 1) / Math.sqrt(1 + ratio * ratio);
};""",
    "gaussian": """\
const gaussian = (x) => {
  if (!(Math.abs(x) < 30)) return x === x ? 0 : x;
  const scaled = 134217729 * x;  // Veltkamp's splitting: the rounding of x * x would be magnified
  const high = scaled - (scaled - x), low = x - high;
  return Math.exp(-high * high) * Math.exp(-low * (x + high));
};""",
    "erf": """\
// For |x| < 2 the series of exp(x**2) erf(x), whose terms are all positive.
const erf = (x) => {
  if (!(Math.abs(x) < 2)) return x > 0 ? 1 - erfc(x) : x < 0 ? erfc(-x) - 1 : x;
  let term = x, total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= x * x / (n + 0.5);
    total += term;
  }
  return 1.1283791670955126 * gaussian(x) * total;
};""",
    "erfc": """\
// For x >= 1/2 the continued fraction x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...))).
const erfc = (x) => {
  if (!(x >= 0.5)) return 1 - erf(x);
  let fraction = x;
  for (let n = x < 1 ? 800 : x < 2 ? 200 : 60; n > 0; n--) fraction = x + 0.5 * n / fraction;
  return 0.5641895835477563 * gaussian(x) / fraction;
};""",
    "gamma": """\
// Stirling's series from 12 on; below, from between 1.5 and 2.5; for negative x the reflection.
const gamma = (x) => {
  if (x < 0) {
    const rest = x - Math.round(x);
    return rest === 0 || x === -Infinity ? NaN
      : x > -1e-300 ? 1 / x
        : (Math.round(x) % 2 === 0 ? -1 : 1) * Math.PI / Math.sin(Math.PI * rest) / x / gamma(-x);
  }
  if (x > 171.7) return Infinity;
  if (x < 12) {
    let factor = 1, divisor = 1, log = 0;
    for (; x >= 2.5; factor *= x) x -= 1;
    for (; x < 1.5; x += 1) divisor *= x;
    for (const c of gammaln_series) log = (log + c) * (x - 2);
    return Math.exp(log) * factor / divisor;
  }
  const s = 1 / (x * x), half = Math.pow(x, 0.5 * x - 0.25);
  const tail = (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188
    - s * (691 / 360360 - s / 156)))))) / x;
  return half * Math.exp(-x) * half * 2.5066282746310002 * Math.exp(tail);
};""",
    "gammaln_series": f"const gammaln_series = {list(GAMMALN[29::-1])};",
    "plain": """\
const plain = (numbers) => {
  let total = 0;
  for (const x of numbers) total += x;
  return total;
};""",
    "sum": """\
// The sum, rounded once: a list of numbers that do not overlap has the same sum (Shewchuk 1997).
const sum = (numbers) => {
  const parts = [];
  for (let x of numbers) {
    let count = 0;
    for (let y of parts) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y, low = y - (high - x);
      if (low !== 0) parts[count++] = low;
      x = high;
    }
    if (x - x !== 0) return plain(numbers);
    parts.length = count;
    if (x !== 0) parts.push(x);
  }
  let total = 0, rest = 0;
  while (parts.length && rest === 0) {
    const before = total, next = parts.pop();
    total = before + next;
    rest = next - (total - before);
  }
  // Half a unit in the last place is more than half if what follows has the same sign.
  if (parts.length && rest !== 0 && (rest < 0) === (parts[parts.length - 1] < 0)) {
    const up = total + 2 * rest;
    if (up - total === 2 * rest) return up;
  }
  return total;
};""",
    "dot": """\
const dot = (numbers) => {
  const half = numbers.length / 2;
  let total = 0;
  for (let i = 0; i < half; i++) total += numbers[i] * numbers[half + i];
  return total;
};""",
    "exact_dot": """\
// Python adds what rounding takes away from the sum (Neumaier 1974).
const exact_dot = (numbers) => {
  const half = numbers.length / 2;
  let total = 0, lost = 0;
  for (let i = 0; i < half; i++) {
    const x = numbers[i] * numbers[half + i], next = total + x;
    lost += Math.abs(total) >= Math.abs(x) ? (total - next) + x : (x - next) + total;
    total = next;
  }
  return lost - lost === 0 ? total + lost : total;
};""",
    "product": """\
const product = (numbers) => {
  let total = 1;
  for (const x of numbers) total *= x;
  return total;
};""",
    "norm": """\
const norm = (numbers) => {
  let top = 0, total = 0;
  for (const x of numbers) top = maximum(top, Math.abs(x));
  if (numbers.some((x) => Math.abs(x) === Infinity)) return Infinity;
  if (top === 0 || top !== top) return top;
  for (const x of numbers) total += (x / top) * (x / top);
  return top * Math.sqrt(total);
};""",
    "logsumexp": """\
const logsumexp = (numbers) => {
  const top = numbers.reduce(maximum, -Infinity);
  if (!(Math.abs(top) < Infinity)) return top;
  return top + Math.log1p(sum([-1, ...numbers.map((x) => Math.exp(x - top))]));
};""",
}


def to_javascript(program: Program, name: str = "program",
                  rewrite: Rewrite | None = None) -> str:
    """Write a program as JavaScript: a script that declares one constant, a function.

    The function is called as ``name(x, y)``. ``x`` is an array of numbers, one for each input;
    ``y``, which may be left out, a Float64Array to write the outputs into. It returns ``y``, with
    two properties more:

    - ``y.guard``: the place in ``program.guards`` of the first that does not hold, or -1. Where
      one does not, the outputs are not those of the recorded function.
    - ``y.outside``: the index of the first instruction that is outside of its domain, where the
      eager engine raises, or -1.

    It throws a RangeError for a wrong number of inputs. The script needs nothing else, declares
    nothing else, and may stand between ``<script>`` and ``</script>``.

    Args:
        program: what to write. All numbers of it are asked for by
            ``dataclasses.replace(program, outputs=tuple(range(program.n_slots)))``.
        name: what to call the function.
        rewrite: writes primitives of the user's own out in others
            (``autograd.compiler.trace.inlining.inlined``); None refuses them.

    Raises:
        ValueError: for a name that is no identifier of JavaScript, or a program that is none.
        KeyError: for an operation that is not in the table of primitives.
        Unsupported: for a primitive that JavaScript has no way to write; the message names it.
    """
    _check_name(name)
    writer = _Writer(rewrite)
    body = "\n".join(writer.function(program, "program", checks_inputs=True))
    return writer.script(name, body, "program")


def to_javascript_object(programs: Mapping[str, Program], name: str = "programs",
                         rewrite: Rewrite | None = None) -> str:
    """Write several programs as JavaScript: a script that declares one object of functions.

    They are called as those of :func:`to_javascript`, but do not count their inputs, and share
    the functions that JavaScript lacks.

    Args:
        programs: what to write, each under the name that it has in the object.
        name: what to call the object.
        rewrite: as for :func:`to_javascript`.

    Raises:
        ValueError, KeyError, Unsupported: as :func:`to_javascript` does.
    """
    for each in (name, *programs):
        _check_name(each)
    writer = _Writer(rewrite)
    body = "\n".join(line for each, program in programs.items()
                     for line in writer.function(program, each, checks_inputs=False))
    return writer.script(name, body, f"{{{', '.join(programs)}}}")


def _check_name(name: str) -> None:
    if not IDENTIFIER.fullmatch(name) or name in RESERVED:
        raise ValueError(f"{name!r} cannot be the name of a function in JavaScript; "
                         "write a word such as 'program'")


class _Writer(SourceWriter):
    """Writes the functions of programs."""

    language = "JavaScript"
    emitters = EMITTERS
    functions = FUNCTIONS
    relations: ClassVar = {"==": "===", "!=": "!=="}
    infinity, nan, comment = "Infinity", "NaN", "//.*"

    def script(self, name: str, body: str, result: str) -> str:
        """A constant: what functions, with those that they call, are returned as."""
        prelude = "".join(f"{text}\n" for text in self.prelude(body))
        return (f'const {name} = (() => {{\n"use strict";\n{prelude}{body}\n'
                f"return {result};\n}})();\n")

    def function(self, program: Program, name: str, checks_inputs: bool) -> Iterator[str]:
        """The lines of the function that computes a program."""
        checked(program)
        inputs = ", ".join(f"x{i} = x[{i}]" for i in range(program.n_inputs))
        yield f"function {name}(x, y = new Float64Array({len(program.outputs)})) {{"
        if checks_inputs:
            yield (f"  if (x.length !== {program.n_inputs}) throw new RangeError("
                   f'"the program takes {program.n_inputs} number(s), not " + x.length);')
        if inputs:
            yield f"  const {inputs};"
        yield from self.instructions(program)
        for place, slot in enumerate(program.outputs):
            yield f"  y[{place}] = {self.read(program, slot)};"
        yield from self._checks(program)
        yield "  return y;"
        yield "}"

    def _checks(self, program: Program) -> Iterator[str]:
        """What is first is found by looking from the end, so that nothing nests."""
        yield "  y.guard = y.outside = -1;"
        for place, (relation, left, right, outcome) in reversed(list(enumerate(program.guards))):
            broken = self.broken(relation, outcome, self.read(program, left),
                                 self.read(program, right))
            yield f"  if ({broken}) y.guard = {place};"
        conditional = counting_on_conditions(program)
        if conditional:  # what was not chosen may be undefined; what was, shows in the outputs
            yield (f"  const unsure = y.subarray(0, {len(program.outputs)})"
                   ".some((v) => v - v !== 0);")
        for i in range(len(program) - 1, -1, -1):
            operands = [self.read(program, x) for x in program.operands[i]]
            result = f"v{program.first + i}"
            asked = "unsure && " if program.first + i in conditional else ""
            for condition in self.refusals(lookup(program.ops[i]), operands, result):
                yield f"  if ({asked}{condition}) y.outside = {i};"

    def declaration(self, name: str, expression: str) -> str:
        return f"  const {name} = {expression};"

    def listed(self, operands: Sequence[str]) -> str:
        return f"[{', '.join(operands)}]"

    def long(self, op: str, operands: Sequence[str]) -> str | None:
        if op == "dot":
            return self._dot(operands)
        if op == "sum":
            return (f"sum({self.listed(operands)})" if len(operands) != 2
                    else "{} + {} + 0".format(*operands))
        return None

    def _dot(self, operands: Sequence[str]) -> str:
        half = len(operands) // 2
        if _IS_COMPENSATED:
            return f"exact_dot({self.listed(operands)})"
        if half > LONG:
            return f"dot({self.listed(operands)})"
        products = (f"{a} * {b}" for a, b in zip(operands[:half], operands[half:], strict=True))
        return " + ".join(["0", *products])

    def own_function(self, number: int, op: str, inputs: Sequence[str], lines: Sequence[str],
                     result: str) -> tuple[str, str]:
        comment = json.dumps(op).replace("<", "\\u003c")
        return f"own{number}", "\n".join([
            f"const own{number} = ({', '.join(inputs)}) => {{  // {comment}", *lines,
            f"  return {result};", "};"])
