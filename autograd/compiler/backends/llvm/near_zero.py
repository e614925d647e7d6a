"""logaddexp near its zero in LLVM's language: the integers of ``core/near_zero.py``, 512 bits wide.

A function of its own for each width tests whether any row is near, which is seldom, and only then
goes through the rows one by one.
"""

from __future__ import annotations

import functools

from autograd.compiler.backends.llvm.emitter import Emitter
from autograd.core.near_zero import FRACTION, LOG_2, RECIPROCALS, SMALLEST, TERMS

_TABLE = f"[{TERMS + 1} x i512]"

# One row, known to be near. As in the eager engine all terms count in units of 2**exponent of the
# top. The exponents of exp(low) and of the top are at most 5 apart there, hence the shift by 8.
_ONE_ROW = f"""
@near_zero_reciprocals = private constant {_TABLE} [{
    ", ".join(f"i512 {number}" for number in RECIPROCALS)}], align 16

define internal i512 @near_zero_series(i512 %x, i64 %first) noinline {{
entry:
  br label %loop
loop:
  %n = phi i64 [ {TERMS - 1}, %entry ], [ %next, %loop ]
  %total = phi i512 [ {RECIPROCALS[TERMS]}, %entry ], [ %sum, %loop ]
  %product = mul i512 %total, %x
  %part = ashr i512 %product, {FRACTION}
  %address = getelementptr {_TABLE}, ptr @near_zero_reciprocals, i64 0, i64 %n
  %reciprocal = load i512, ptr %address, align 16
  %sum = add i512 %part, %reciprocal
  %next = sub i64 %n, 1
  %more = icmp sge i64 %next, %first
  br i1 %more, label %loop, label %end
end:
  ret i512 %sum
}}

define internal i512 @near_zero_fixed(i64 %mantissa, i64 %exponent) noinline {{
  %wide = sext i64 %mantissa to i512
  %left = add i64 %exponent, {FRACTION - 53}
  %right = sub i64 0, %left
  %far = icmp ugt i64 %right, 511
  %most = select i1 %far, i64 511, i64 %right
  %left.wide = zext i64 %left to i512
  %right.wide = zext i64 %most to i512
  %up = shl i512 %wide, %left.wide
  %down = ashr i512 %wide, %right.wide
  %is.left = icmp sge i64 %left, 0
  %fixed = select i1 %is.left, i512 %up, i512 %down
  ret i512 %fixed
}}

define internal double @near_zero_row(double %top, double %low) noinline {{
entry:
  %top.bits = bitcast double %top to i64
  %top.shifted = lshr i64 %top.bits, 52
  %top.biased = and i64 %top.shifted, 2047
  %exponent = sub i64 %top.biased, 1022
  %top.fraction = and i64 %top.bits, {2 ** 52 - 1}
  %top.size = or i64 %top.fraction, {2 ** 52}
  %mantissa = sub i64 0, %top.size
  %top.fixed = call i512 @near_zero_fixed(i64 %mantissa, i64 %exponent)
  %top.series = call i512 @near_zero_series(i512 %top.fixed, i64 1)
  %mantissa.wide = sext i64 %mantissa to i512
  %top.product = mul i512 %mantissa.wide, %top.series
  %top.term = ashr i512 %top.product, 53
  %low.bits = bitcast double %low to i64
  %low.shifted = lshr i64 %low.bits, 52
  %low.biased = and i64 %low.shifted, 2047
  %low.exponent = sub i64 %low.biased, 1022
  %low.fraction = and i64 %low.bits, {2 ** 52 - 1}
  %low.size = or i64 %low.fraction, {2 ** 52}
  %low.mantissa = sub i64 0, %low.size
  %low.fixed = call i512 @near_zero_fixed(i64 %low.mantissa, i64 %low.exponent)
  %quotient = fdiv double %low, 0x3FE62E42FEFA39EF
  %turns = fptosi double %quotient to i64
  %turns.wide = sext i64 %turns to i512
  %whole = mul i512 %turns.wide, {LOG_2}
  %rest = sub i512 %low.fixed, %whole
  %low.series = call i512 @near_zero_series(i512 %rest, i64 0)
  %apart = sub i64 %turns, %exponent
  %shift = add i64 %apart, 8
  %shift.wide = zext i64 %shift to i512
  %shifted = shl i512 %low.series, %shift.wide
  %low.term = ashr i512 %shifted, 8
  %total = add i512 %top.term, %low.term
  %is.zero = icmp eq i512 %total, 0
  br i1 %is.zero, label %zero, label %other
zero:
  ret double 0.0
other:
  %is.negative = icmp slt i512 %total, 0
  %negated = sub i512 0, %total
  %size = select i1 %is.negative, i512 %negated, i512 %total
  %zeros = call i512 @llvm.ctlz.i512(i512 %size, i1 true)
  %normal = shl i512 %size, %zeros
  %head.wide = lshr i512 %normal, 448
  %head = trunc i512 %head.wide to i64
  %tail = shl i512 %normal, 64
  %has.tail = icmp ne i512 %tail, 0
  %sticky = zext i1 %has.tail to i64
  %rounded = or i64 %head, %sticky
  %number = uitofp i64 %rounded to double
  %opposite = fneg double %number
  %signed = select i1 %is.negative, double %opposite, double %number
  %zeros.short = trunc i512 %zeros to i64
  %scale = sub i64 %exponent, %zeros.short
  %scale.total = add i64 %scale, {448 - FRACTION}
  %scale.short = trunc i64 %scale.total to i32
  %sum = call double @ldexp(double %signed, i32 %scale.short)
  %result = call double @log1p(double %sum)
  ret double %result
}}
"""


def emit_near_zero(e: Emitter, top: str, low: str, result: str) -> str:
    """The result, but where it is near zero the one that integers give."""
    e.declared |= {"declare double @log1p(double)", "declare double @ldexp(double, i32)",
                   "declare i512 @llvm.ctlz.i512(i512, i1)", _ONE_ROW, _all_rows(e)}
    operands = ", ".join(f"{e.type} {x}" for x in (top, low, result))
    return e.add(f"call {e.type} @near_zero_{e.suffix}({operands})")


def _all_rows(e: Emitter) -> str:
    """A function that leaves rows as they are but those that are near."""
    inner = Emitter(e.width)
    tests = [inner.compare("olt", inner.op("fmul", inner.const(0.5), "%top"), "%result"),
             inner.compare("olt", "%result", inner.op("fmul", inner.const(-2.0), "%top")),
             inner.compare("ole", "%top", inner.const(-SMALLEST))]
    near = functools.reduce(lambda a, b: inner.add(f"and {e.bool} {a}, {b}"), tests)
    some = near
    if e.width > 1:
        mask = inner.add(f"bitcast {e.bool} {near} to i{e.width}")
        some = inner.add(f"icmp ne i{e.width} {mask}, 0")
    e.declared |= inner.declared
    test = "\n".join(inner.lines)
    rows = _row_by_row(e, near) if e.width > 1 else (
        "  %exact = call double @near_zero_row(double %top, double %low)\n  ret double %exact")
    return (f"define internal {e.type} @near_zero_{e.suffix}({e.type} %top, {e.type} %low, "
            f"{e.type} %result) {{\nentry:\n{test}\n"
            f"  br i1 {some}, label %near, label %apart\napart:\n  ret {e.type} %result\n"
            f"near:\n{rows}\n}}\n")


def _row_by_row(e: Emitter, near: str) -> str:
    """A loop over the rows, each of which asks whether it is meant."""
    return f"""  br label %loop
loop:
  %row = phi i32 [ 0, %near ], [ %next, %done ]
  %all = phi {e.type} [ %result, %near ], [ %after, %done ]
  %is.near = extractelement {e.bool} {near}, i32 %row
  br i1 %is.near, label %one, label %done
one:
  %top.row = extractelement {e.type} %top, i32 %row
  %low.row = extractelement {e.type} %low, i32 %row
  %exact = call double @near_zero_row(double %top.row, double %low.row)
  %with = insertelement {e.type} %all, double %exact, i32 %row
  br label %done
done:
  %after = phi {e.type} [ %all, %loop ], [ %with, %one ]
  %next = add i32 %row, 1
  %more = icmp ult i32 %next, {e.width}
  br i1 %more, label %loop, label %end
end:
  ret {e.type} %after"""
