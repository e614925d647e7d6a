"""How C writes each primitive: operators, functions of libm, and functions of our own.

The names of our own begin with ``fn_``, so that none is a function of the user's.
"""

from __future__ import annotations

import math

from autograd.compiler.program.steps import EITHER
from autograd.core.near_zero import CLOSE, FRACTION, LOG_2, SMALLEST, TERMS
from autograd.core.primitives import LN2
from autograd.core.rounding import WHOLE

PREFIX = "fn_"
LIMBS = FRACTION // 32 + 1  # of a number near zero: those of its fraction, and a whole part
_SPARE = 8  # bits: the two terms of logaddexp near zero are at most so many places apart

# {0}, {1} are operands, {all} all of them, {list} an array of them, {n} how many.
EMITTERS: dict[str, str] = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}",
    "neg": "-{0}", "identity": "{0}", "stop_gradient": "{0}",
    "one_minus_square": "(1.0 - {0}) * (1.0 + {0})",
    "share": "{0} / ({0} + {1})",
    "sign": "{0} > 0.0 ? 1.0 : {0} < 0.0 ? -1.0 : {0} * 0.0",
    "step": "{0} > 0.0 ? 1.0 : {0} <= 0.0 ? 0.0 : {0}", "relu": "{0} <= 0.0 ? 0.0 : {0}",
    "wins": "{0} > {1} ? 1.0 : {0} < {1} ? 0.0 : {0} == {1} ? 0.5 : NAN",
    "where": "{0} != 0.0 ? {1} : {2}", "abs": "fabs({0})",
    "sigmoid": "fn_sigmoid({0})", "sigmoid_slope": "fn_sigmoid({0}) * fn_sigmoid(-{0})",
    "softplus": "fn_softplus({0})", "gaussian": "fn_gaussian({0})",
    **{name: f"fn_{name}({{all}})" for name in (
        "logaddexp", "cosine", "maximum", "minimum", "mod", "floordiv", "rounded",
        "ieee_remainder")},
    **{name: f"fn_{name}({{n}}, {{list}})" for name in (
        "sum", "prod", "norm", "logsumexp", "largest", "smallest")},
    **{name: f"{name}({{all}})" for name in (
        "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos",
        "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf",
        "erfc", "pow", "atan2", "hypot", "floor", "ceil", "trunc", "rint", "fmod", "copysign")},
    "gamma": "tgamma({0})", "dot": "fn_dot({all})",  # of two lists
    EITHER: "{0} == {0} ? {0} : {1}",
}

OF_NOTHING = {"sum": 0.0, "dot": 0.0, "prod": 1.0, "norm": 0.0, "logsumexp": -math.inf,
              "largest": -math.inf, "smallest": math.inf}


def _limbs(number: int) -> str:
    return ", ".join(f"0x{number >> 32 * i & 0xFFFFFFFF:08x}u" for i in range(LIMBS))


FUNCTIONS: dict[str, str] = {
    "fn_maximum": """\
static double fn_maximum(double a, double b)
{
  return a < b || b != b ? b : a;
}
""",
    "fn_minimum": """\
static double fn_minimum(double a, double b)
{
  return a > b || b != b ? b : a;
}
""",
    "fn_mod": """\
static double fn_mod(double a, double b)
{
  const double rest = fmod(a, b);
  if (rest == 0.0) return copysign(0.0, b);
  return (b < 0.0) != (rest < 0.0) ? rest + b : rest;
}
""",
    "fn_floordiv": """\
static double fn_floordiv(double a, double b)
{
  if (b == 0.0) return a / b;
  const double rest = fmod(a, b);
  const int is_below = rest != 0.0 && (b < 0.0) != (rest < 0.0);
  const double count = (a - rest) / b - (is_below ? 1.0 : 0.0), whole = floor(count);
  if (count == 0.0) return copysign(0.0, a / b);
  return count - whole > 0.5 ? whole + 1.0 : whole;
}
""",
    "fn_ieee_remainder": """\
static double fn_ieee_remainder(double a, double b)
{
  const double rest = remainder(a, b);
  return rest == 0.0 ? copysign(0.0, a) : rest; /* some libm lose the sign beside a subnormal b */
}
""",
    "fn_rounded": f"""\
/* Of the product also what rounding takes away (Dekker's): a tie may be none. */
static double fn_rounded(double x, double scale)
{{
  const double scaled = x * scale;
  if (!(fabs(scaled) < {2.0 * WHOLE!r})) return x + 0.0 / scale;
  const double wide = 134217729.0 * x, high = wide - (wide - x), low = x - high;
  const double tall = 134217729.0 * scale, top = tall - (tall - scale), rest = scale - top;
  const double lost = ((high * top - scaled) + high * rest + low * top) + low * rest;
  const double nearest = rint(scaled), off = scaled - nearest, way = off * lost;
  const double moves = way > 0.0 ? 1.0 : way <= 0.0 ? 0.0 : way;
  const double tie = off == 0.5 ? 1.0 : off == -0.5 ? -1.0 : 0.0;
  return copysign((nearest + tie * moves) / scale, x);
}}
""",
    "fn_sigmoid": """\
static double fn_sigmoid(double x)
{
  const double decay = exp(-fabs(x)); /* the other form would overflow */
  return (x >= 0.0 ? 1.0 : decay) / (1.0 + decay);
}
""",
    "fn_softplus": """\
static double fn_softplus(double x)
{
  return log1p(exp(-fabs(x))) + (x <= 0.0 ? 0.0 : x);
}
""",
    "fn_times": f"""\
/* Numbers of {32 * (LIMBS - 1)} bits behind the point, and 32 before it; the lowest come first. */
enum {{ fn_limbs = {LIMBS} }};

static void fn_times(const uint32_t *a, const uint32_t *b, uint32_t *result)
{{
  uint32_t product[2 * fn_limbs] = {{0}};
  for (int i = 0; i < fn_limbs; i++) {{
    uint64_t carry = 0;
    for (int j = 0; j < fn_limbs; j++) {{
      carry += (uint64_t)a[i] * b[j] + product[i + j];
      product[i + j] = (uint32_t)carry;
      carry >>= 32;
    }}
    product[i + fn_limbs] = (uint32_t)carry;
  }}
  memcpy(result, product + fn_limbs - 1, fn_limbs * sizeof *result);
}}
""",
    "fn_scale": """\
static void fn_scale(uint32_t *a, uint32_t factor)
{
  uint64_t carry = 0;
  for (int i = 0; i < fn_limbs; i++) {
    carry += (uint64_t)a[i] * factor;
    a[i] = (uint32_t)carry;
    carry >>= 32;
  }
}
""",
    "fn_subtract": """\
/* Takes b from a. Returns 1, and gives b - a, where b is the larger. */
static int fn_subtract(const uint32_t *a, const uint32_t *b, uint32_t *result)
{
  int borrow = 0;
  for (int i = 0; i < fn_limbs; i++) {
    const uint64_t part = (uint64_t)a[i] - b[i] - (uint64_t)borrow;
    result[i] = (uint32_t)part;
    borrow = part >> 63 != 0;
  }
  if (borrow) fn_subtract(b, a, result);
  return borrow;
}
""",
    "fn_fixed": """\
static void fn_fixed(double x, uint32_t *result)
{
  for (int i = fn_limbs - 1; i >= 0; i--) {
    result[i] = (uint32_t)x;
    x = (x - result[i]) * 4294967296.0;
  }
}
""",
    "fn_series": f"""\
/* exp(-x) from first = 0, and (1 - exp(-x)) / x from 1: 1 - x/n (1 - x/(n + 1) (1 - ...)). */
static void fn_series(const uint32_t *x, int first, uint32_t *result)
{{
  uint32_t one[fn_limbs] = {{0}}, part[fn_limbs];
  one[fn_limbs - 1] = 1;
  memcpy(result, one, sizeof one);
  for (int n = {TERMS + 1}; n > first; n--) {{
    uint64_t rest = 0;
    fn_times(x, result, part);
    for (int i = fn_limbs - 1; i >= 0; i--) {{
      rest = rest << 32 | part[i];
      part[i] = (uint32_t)(rest / (uint64_t)n);
      rest %= (uint64_t)n;
    }}
    fn_subtract(one, part, result);
  }}
}}
""",
    "fn_near_zero": f"""\
/* log(exp(top) + exp(low)) where both cancel: log1p of exp(low) - (1 - exp(top)), both of which
   count in units of 2**exponent of the top, so that a small one keeps its places as well. */
static double fn_near_zero(double top, double low)
{{
  uint32_t turn[fn_limbs] = {{{_limbs(LOG_2)}}};
  uint32_t x[fn_limbs], part[fn_limbs], a[fn_limbs], b[fn_limbs];
  int exponent;
  const double size = frexp(-top, &exponent);
  const int turns = (int)(-low / {LN2!r} - 1e-9); /* never one too many */
  double total = 0.0;
  fn_fixed(-top, x);
  fn_series(x, 1, part);
  fn_fixed(size, x);
  fn_times(x, part, b);
  fn_fixed(-low, x);
  fn_scale(turn, (uint32_t)turns);
  fn_subtract(x, turn, part);
  fn_series(part, 0, a);
  fn_scale(a, (uint32_t)1 << ({_SPARE} - turns - exponent));
  fn_scale(b, (uint32_t)1 << {_SPARE});
  const int is_negative = fn_subtract(a, b, x);
  for (int i = fn_limbs - 1; i >= 0; i--) total = total * 4294967296.0 + x[i];
  return log1p(ldexp(is_negative ? -total : total, exponent - {FRACTION + _SPARE}));
}}
""",
    "fn_logaddexp": f"""\
static double fn_logaddexp(double a, double b)
{{
  const double top = a < b ? b : a, low = a < b ? a : b;
  if (!(fabs(top) <= {CLOSE!r})) return a == b ? a + {LN2!r} : top + log1p(exp(low - top));
  const double gap = low - top, rounding = (low - gap) - top, decay = exp(gap);
  const double sum = top + log1p(fabs(rounding) < 1.0 ? decay + decay * rounding : decay);
  const int is_near = 0.5 * top < sum && sum < -2.0 * top && top <= {-SMALLEST!r};
  return is_near ? fn_near_zero(top, low) : sum;
}}
""",
    "fn_cosine": """\
static double fn_cosine(double a, double b)
{
  const int is_steep = fabs(a) < fabs(b);
  if (!is_steep && a == 0.0) return a * b;
  const double ratio = is_steep ? a / fabs(b) : b / a;
  return (is_steep ? ratio : a < 0.0 ? -1.0 : 1.0) / sqrt(1.0 + ratio * ratio);
}
""",
    "fn_gaussian": """\
static double fn_gaussian(double x)
{
  if (!(fabs(x) < 30.0)) return x == x ? 0.0 : x;
  uint64_t bits; /* the upper half of x has an exact square; the rounding of x * x is magnified */
  double high;
  memcpy(&bits, &x, sizeof bits);
  bits &= ~(((uint64_t)1 << 27) - 1);
  memcpy(&high, &bits, sizeof high);
  return exp(-high * high) * exp(-(x - high) * (x + high));
}
""",
    "fn_sum": """\
static double fn_sum(long n, const double *x)
{
  double total = 0.0;
  for (long i = 0; i < n; i++) total += x[i];
  return total;
}
""",
    "fn_dot": """\
static double fn_dot(long n, const double *a, const double *b)
{
  double total = 0.0;
  for (long i = 0; i < n; i++) total += a[i] * b[i];
  return total;
}
""",
    "fn_prod": """\
static double fn_prod(long n, const double *x)
{
  double total = 1.0;
  for (long i = 0; i < n; i++) total *= x[i];
  return total;
}
""",
    "fn_norm": """\
static double fn_norm(long n, const double *x)
{
  double top = 0.0, total = 0.0;
  for (long i = 0; i < n; i++) {
    if (fabs(x[i]) == INFINITY) return INFINITY;
    top = fn_maximum(top, fabs(x[i]));
  }
  if (n == 1 || top == 0.0 || top != top) return top;
  for (long i = 0; i < n; i++) total += x[i] / top * (x[i] / top);
  return top * sqrt(total);
}
""",
    "fn_largest": """\
static double fn_largest(long n, const double *x)
{
  double top = x[0];
  for (long i = 1; i < n; i++) top = fn_maximum(top, x[i]);
  return top;
}
""",
    "fn_smallest": """\
static double fn_smallest(long n, const double *x)
{
  double bottom = x[0];
  for (long i = 1; i < n; i++) bottom = fn_minimum(bottom, x[i]);
  return bottom;
}
""",
    "fn_logsumexp": """\
static double fn_logsumexp(long n, const double *x)
{
  const double top = fn_largest(n, x);
  double total = -1.0; /* of the terms that are 1 one is left out: others may be too small */
  if (!(fabs(top) < INFINITY)) return top;
  for (long i = 0; i < n; i++) total += x[i] == top ? 1.0 : 0.0;
  for (long i = 0; i < n; i++) total += x[i] == top ? 0.0 : exp(x[i] - top);
  return top + log1p(total);
}
""",
}
