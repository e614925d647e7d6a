"""Many steps of gradient descent in one call of machine code.

Two compiled programs take turns: the loss of rows with its gradient, summed over a batch, and the
rule that moves one parameter, run over all parameters as if they were rows. The loop around them
is the same for every model, so it is compiled once and for all.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.program.program import Program

Array = np.ndarray[Any, Any]

DONE, LOSS_NOT_FINITE, GRADIENT_NOT_FINITE, OTHER_BRANCH = range(4)

SOME = 32  # parameters whose sums are taken while those before are moved: not one after the other

# What the loop reads, in this order, from an array of 64-bit words.
_WORDS = ("loss", "rule", "loss_arguments", "rule_arguments", "n_steps", "counts",
          "outs", "scalars", "n_scalars", "objectives", "l2", "lanes", "n_parameters",
          "rows", "out", "ok", "stride", "order", "data", "n_inputs",
          "rows_stride", "padding", "answers", "answers_stride", "n_answers")
_POINTERS = {"loss", "rule", "loss_arguments", "rule_arguments", "counts", "outs",
             "scalars", "objectives", "rows", "out", "ok", "order", "data", "answers"}


def _loads() -> str:
    lines = []
    for place, name in enumerate(_WORDS):
        kind = "ptr" if name in _POINTERS else "double" if name == "l2" else "i64"
        lines += [f"  %at_{name} = getelementptr i64, ptr %words, i64 {place}",
                  f"  %{name} = load {kind}, ptr %at_{name}"]
    return "\n".join(lines)


_LOOP = f"""
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define internal double @total(ptr %numbers, i64 %n) {{
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %after, %next ]
  %sum = phi double [ 0.0, %entry ], [ %more, %next ]
  %at = getelementptr double, ptr %numbers, i64 %i
  %number = load double, ptr %at
  %more = fadd reassoc double %sum, %number
  %after = add i64 %i, 1
  %again = icmp slt i64 %after, %n
  br i1 %again, label %next, label %done
done:
  ret double %more
}}

define i64 @descend(ptr %words, ptr %reached) {{
entry:
{_loads()}
  %at_rows_now = getelementptr i64, ptr %loss_arguments, i64 1
  %at_sums = getelementptr i64, ptr %loss_arguments, i64 2
  %sums = load ptr, ptr %at_sums
  %at_out_now = getelementptr i64, ptr %loss_arguments, i64 3
  %at_ok_now = getelementptr i64, ptr %loss_arguments, i64 4
  %at_n_now = getelementptr i64, ptr %loss_arguments, i64 6
  %at_lines = getelementptr i64, ptr %rule_arguments, i64 1
  %first_lines = load ptr, ptr %at_lines
  %at_rule_sums = getelementptr i64, ptr %rule_arguments, i64 2
  %rule_sums = load ptr, ptr %at_rule_sums
  %at_moved = getelementptr i64, ptr %rule_arguments, i64 3
  %first_moved = load ptr, ptr %at_moved
  %at_n_some = getelementptr i64, ptr %rule_arguments, i64 6
  %row_sums = getelementptr double, ptr %sums, i64 %lanes
  %not_finite_sums = getelementptr double, ptr %rule_sums, i64 %lanes
  br label %step

step:
  %s = phi i64 [ 0, %entry ], [ %s_next, %commit ]
  %lines = phi ptr [ %first_lines, %entry ], [ %moved, %commit ]
  %moved = phi ptr [ %first_moved, %entry ], [ %lines, %commit ]
  store i64 %s, ptr %reached
  %more_steps = icmp slt i64 %s, %n_steps
  br i1 %more_steps, label %rows_of_step, label %finished

rows_of_step:
  %at_count = getelementptr i64, ptr %counts, i64 %s
  %count = load i64, ptr %at_count
  %at_out_start = getelementptr i64, ptr %outs, i64 %s
  %out_start = load i64, ptr %at_out_start
  store ptr %rows, ptr %at_rows_now
  store ptr %out, ptr %at_out_now
  store ptr %ok, ptr %at_ok_now
  store i64 %count, ptr %at_n_now
  %gathers = icmp ne ptr %order, null
  br i1 %gathers, label %gather, label %evaluate

gather:
  %order_now = getelementptr i64, ptr %order, i64 %out_start
  %last = sub i64 %count, 1
  %more_registers = sdiv i64 %last, %padding
  %registers = add i64 %more_registers, 1
  %room = mul i64 %registers, %padding
  br label %gather_row

gather_row:
  %j = phi i64 [ 0, %gather ], [ %j_next, %gathered_row ]
  %is_inside = icmp slt i64 %j, %last
  %j_inside = select i1 %is_inside, i64 %j, i64 %last
  %at_row = getelementptr i64, ptr %order_now, i64 %j_inside
  %row = load i64, ptr %at_row
  %from_place = mul i64 %row, %n_inputs
  %from = getelementptr double, ptr %data, i64 %from_place
  %to = getelementptr double, ptr %rows, i64 %j
  br label %gather_input

gather_input:
  %k = phi i64 [ 0, %gather_row ], [ %k_next, %gather_input ]
  %at_from = getelementptr double, ptr %from, i64 %k
  %input = load double, ptr %at_from
  %to_place = mul i64 %k, %rows_stride
  %at_to = getelementptr double, ptr %to, i64 %to_place
  store double %input, ptr %at_to
  %k_next = add i64 %k, 1
  %more_inputs = icmp slt i64 %k_next, %n_inputs
  br i1 %more_inputs, label %gather_input, label %gathered_row

gathered_row:
  %j_next = add i64 %j, 1
  %more_rows = icmp slt i64 %j_next, %room
  br i1 %more_rows, label %gather_row, label %evaluate

evaluate:
  %numbers = getelementptr double, ptr %lines, i64 %stride
  store ptr %numbers, ptr %loss_arguments
  call void %loss(ptr %loss_arguments)
  %holding = call double @total(ptr %ok, i64 %count)
  %wanted = sitofp i64 %count to double
  %all_hold = fcmp oeq double %holding, %wanted
  br i1 %all_hold, label %keep, label %other_branch

keep:
  %count_bytes = mul i64 %count, 8
  br label %keep_answer

keep_answer:
  %a = phi i64 [ 0, %keep ], [ %a_next, %keep_line ]
  %more_answers = icmp slt i64 %a, %n_answers
  br i1 %more_answers, label %keep_line, label %gradient

keep_line:
  %a_from = mul i64 %a, %rows_stride
  %a_line = mul i64 %a, %answers_stride
  %a_to = add i64 %a_line, %out_start
  %at_a_from = getelementptr double, ptr %out, i64 %a_from
  %at_a_to = getelementptr double, ptr %answers, i64 %a_to
  call void @llvm.memcpy.p0.p0.i64(ptr %at_a_to, ptr %at_a_from, i64 %count_bytes, i1 false)
  %a_next = add i64 %a, 1
  br label %keep_answer

gradient:
  %scalars_start = mul i64 %s, %n_scalars
  %scalars_now = getelementptr double, ptr %scalars, i64 %scalars_start
  store ptr %scalars_now, ptr %rule_arguments
  %moved_numbers = getelementptr double, ptr %moved, i64 %stride
  br label %some

some:
  %q = phi i64 [ 0, %gradient ], [ %q_next, %move ]
  %left = sub i64 %n_parameters, %q
  %is_last = icmp slt i64 %left, {SOME}
  %n_some = select i1 %is_last, i64 %left, i64 {SOME}
  %lines_of_some = getelementptr double, ptr %lines, i64 %q
  br label %take_sums

take_sums:
  %p = phi i64 [ 0, %some ], [ %p_next, %take_sums ]
  %parameter = add i64 %q, %p
  %p_place = mul i64 %parameter, %lanes
  %at_row_sums = getelementptr double, ptr %row_sums, i64 %p_place
  %at_slope = getelementptr double, ptr %lines_of_some, i64 %p
  call void @take(ptr %at_row_sums, ptr %at_slope)
  %p_next = add i64 %p, %lanes
  %more_slopes = icmp slt i64 %p_next, %n_some
  br i1 %more_slopes, label %take_sums, label %move

move:
  store ptr %lines_of_some, ptr %at_lines
  %moved_some = getelementptr double, ptr %moved_numbers, i64 %q
  store ptr %moved_some, ptr %at_moved
  store i64 %n_some, ptr %at_n_some
  call void %rule(ptr %rule_arguments)
  %q_next = add i64 %q, {SOME}
  %more_parameters = icmp slt i64 %q_next, %n_parameters
  br i1 %more_parameters, label %some, label %look

look:
  %losses = call double @take_one(ptr %sums)
  %mean = fdiv double %losses, %wanted
  %squares = call double @take_one(ptr %rule_sums)
  %penalty = fmul double %l2, %squares
  %objective = fadd double %mean, %penalty
  %at_objective = getelementptr double, ptr %objectives, i64 %s
  store double %objective, ptr %at_objective
  %zero = fsub double %objective, %objective
  %is_finite = fcmp oeq double %zero, 0.0
  br i1 %is_finite, label %judge, label %loss_not_finite

judge:
  %slopes_zero = call double @take_one(ptr %not_finite_sums)
  %are_finite = fcmp oeq double %slopes_zero, 0.0
  br i1 %are_finite, label %commit, label %gradient_not_finite

commit:
  %s_next = add i64 %s, 1
  br label %step

finished:
  ret i64 {DONE}
loss_not_finite:
  ret i64 {LOSS_NOT_FINITE}
gradient_not_finite:
  ret i64 {GRADIENT_NOT_FINITE}
other_branch:
  ret i64 {OTHER_BRANCH}
}}
"""


def _taking(width: int) -> str:
    """Functions that take sums out of their lanes, and leave 0 there.

    The lanes of a sum are added by halves. ``take`` does that for as many sums as there are
    lanes: the halves of two sums share a register, then the quarters of four, and so on.
    """
    one = [f"  %v{width} = load {_vector(width)}, ptr %at, align 8",
           f"  store {_vector(width)} zeroinitializer, ptr %at, align 8"]
    half = width
    while half > 1:
        half //= 2
        low, high = (_shuffle(2 * half, f"%v{2 * half}", "undef", range(first, first + half))
                     for first in (0, half))
        one += [f"  %low{half} = {low}", f"  %high{half} = {high}",
                f"  %v{half} = fadd {_vector(half)} %low{half}, %high{half}"]
    one += ["  %sum = extractelement <1 x double> %v1, i32 0", "  ret double %sum"]

    many = []
    for i in range(width):
        many += [f"  %at{i} = getelementptr double, ptr %at, i64 {i * width}",
                 f"  %v{width}_{i} = load {_vector(width)}, ptr %at{i}, align 8",
                 f"  store {_vector(width)} zeroinitializer, ptr %at{i}, align 8"]
    half = width
    while half > 1:
        half //= 2
        for i in range(half):
            a, b = (f"%v{2 * half}_{2 * i + k}" for k in (0, 1))
            low, high = (_shuffle(width, a, b, [place for place in range(2 * width)
                                                if (place // half) % 2 == which])
                         for which in (0, 1))
            many += [f"  %low{half}_{i} = {low}", f"  %high{half}_{i} = {high}",
                     f"  %v{half}_{i} = fadd {_vector(width)} %low{half}_{i}, %high{half}_{i}"]
    many += [f"  store {_vector(width)} %v1_0, ptr %to, align 8", "  ret void"]
    return "\n".join([
        "define internal double @take_one(ptr %at) alwaysinline {", *one, "}",
        "define internal void @take(ptr %at, ptr noalias %to) alwaysinline {", *many, "}", ""])


def _vector(width: int) -> str:
    return f"<{width} x double>"


def _shuffle(width: int, a: str, b: str, places: Sequence[int]) -> str:
    mask = ", ".join(f"i32 {place}" for place in places)
    return (f"shufflevector {_vector(width)} {a}, {_vector(width)} {b}, "
            f"<{len(places)} x i32> <{mask}>")


@dataclass(frozen=True)
class Steps:
    """What a call did.

    Attributes:
        reached: how many steps were finished.
        status: DONE, or why it stopped in the step after them.
        objectives: of each step the mean loss plus the penalty, before the parameters moved.
        out: what the loss's program gives for each row beside its sums, shape (k, places).
    """

    reached: int
    status: int
    objectives: Array
    out: Array


class Descent:
    """Steps of gradient descent, as machine code.

    Args:
        loss: the program of one row. Its first inputs differ by row, the others are the
            parameters; its outputs are the loss and one derivative for each parameter, which are
            summed over the rows of a batch, then whatever else is wanted of each row.
        n_row_inputs: how many inputs differ by row.
        rule: the program that moves one parameter. Its inputs are its slope (the sum over the
            rows of the batch), the parameter and its memories, then the numbers that all
            parameters share in a step; its outputs are the next parameter, the
            next memories, the square of the parameter (for the penalty), and 0 times the slope
            that it used.
        n_memories: how many numbers are remembered of each parameter.
        numbers: the parameters, shape (n,).
        memories: shape (n_memories, n).
        registers: how many registers of rows to take at once; see ``llvm.compile``.
    """

    def __init__(self, loss: Program, n_row_inputs: int, rule: Program, n_memories: int,
                 numbers: Array, memories: Array, registers: int = 1) -> None:
        from autograd.compiler.backends.llvm.compilation import compile
        from autograd.compiler.backends.llvm.target import _aligned

        n = len(numbers)
        extra = len(loss.outputs) - 1 - n
        self._loss = compile(loss, (True,) * n_row_inputs + (False,) * n,
                             (True,) * (1 + n) + (False,) * extra, registers=registers)
        by_parameter = 2 + n_memories
        self._n_shared = rule.n_inputs - by_parameter
        self._rule = compile(rule, (True,) * by_parameter + (False,) * self._n_shared,
                             (False,) * (1 + n_memories) + (True, True))
        self.n_parameters, self.n_memories, self.n_extra = n, n_memories, extra
        self.lanes, self.padding = self._loss.lanes, self._loss.width
        self._stride = _stride(n)
        self._lines = [_lines(by_parameter, self._stride) for _ in range(2)]
        self._now = 0  # which of the two holds the latest step; the next one goes to the other
        self.restore(numbers, memories)
        self._sums = _lines(1 + self._stride, self.lanes)
        self._rule_sums = _lines(2, self.lanes)
        self._memory = [_aligned(max(1, kernel.n_memory) * kernel.width)
                        for kernel in (self._loss, self._rule)]
        self._ok = np.ones(self._stride)
        self._function = _function()

    def restore(self, numbers: Array, memories: Any) -> None:
        """Go on from other parameters, and from what is remembered of them."""
        lines = self._lines[self._now]
        lines[1, :self.n_parameters] = numbers
        if self.n_memories:
            lines[2:, :self.n_parameters] = memories

    @property
    def slopes(self) -> Array:
        """The sums of the latest step, shape (n,)."""
        return self._of_parameters(0)

    @property
    def numbers(self) -> Array:
        """The parameters that were reached, shape (n,)."""
        return self._of_parameters(1)

    @property
    def memories(self) -> Array:
        """What is remembered of them, shape (n_memories, n)."""
        return self._of_parameters(slice(2, None))

    def _of_parameters(self, lines: int | slice) -> Array:
        copied: Array = self._lines[self._now][lines, :self.n_parameters].copy()
        return copied

    def run(self, data: Array, order: Array | None, counts: Array, shared: Array,
            l2: float) -> Steps:
        """Take one step for each batch, or fewer: up to the first that fails.

        Args:
            data: shape (n_row_inputs, n_rows); quickest where each row's numbers are neighbours.
            order: the rows of all batches, one batch after the other; None if every batch is all
                rows in their own order.
            counts: how many rows each batch has.
            shared: for each step the numbers that the rule's parameters share, shape (steps, k).
            l2: the factor of the sum of squares in the objective.
        """
        if not len(counts):
            return Steps(0, DONE, np.empty(0), np.empty((self.n_extra, 0)))
        outs = np.cumsum(counts) - counts
        places = int(counts.sum())
        stride = _stride(int(counts.max()) + self.padding)
        rows = _lines(max(1, len(data)), stride)
        if order is None:
            rows[:len(data), :data.shape[1] + self.padding] = np.pad(
                data, ((0, 0), (0, self.padding)), mode="edge")
        out = _lines(max(1, self.n_extra), stride)
        answers = np.empty((max(1, self.n_extra), places))
        ok = np.ones(int(counts.max()) + self.padding)
        objectives = np.empty(len(counts))
        lines = [np.ascontiguousarray(line, dtype=np.int64) for line in (counts, outs)]
        shared = np.ascontiguousarray(shared, dtype=float)
        by_row = np.ascontiguousarray(data.T)
        lines_now, lines_next = self._lines[self._now], self._lines[1 - self._now]
        self._sums[:], self._rule_sums[:] = 0.0, 0.0
        loss_arguments = np.array([
            0, *map(_address, (rows, self._sums, out, ok, self._memory[0])), 0, stride])
        rule_arguments = np.array([
            *map(_address, (shared, lines_now, self._rule_sums, lines_next, self._ok,
                            self._memory[1])), self.n_parameters, self._stride])
        words = np.array([
            self._loss.address, self._rule.address, _address(loss_arguments),
            _address(rule_arguments), len(counts), *map(_address, lines), _address(shared),
            self._n_shared, _address(objectives), np.float64(l2).view(np.int64),
            self.lanes, self.n_parameters, _address(rows), _address(out), _address(ok),
            self._stride, 0 if order is None else _address(order), _address(by_row), len(data),
            stride, self.padding, _address(answers), places, self.n_extra])
        reached = np.zeros(1, dtype=np.int64)
        status = self._function(_address(words), _address(reached))
        self._now = (self._now + int(reached[0])) % 2
        return Steps(int(reached[0]), status, objectives, answers[:self.n_extra])


def _stride(places: int) -> int:
    """Room for so many numbers: whole registers, but no power of 2, lest lines share cache sets."""
    return -(-places // 8) * 8 | 8


def _lines(count: int, stride: int) -> Array:
    """Lines of zeros, each at an address from which a register is loaded in one go."""
    from autograd.compiler.backends.llvm.target import _aligned

    lines = _aligned(count * stride).reshape(count, stride)
    lines[:] = 0.0
    return lines


def _address(array: Array) -> int:
    return int(array.ctypes.data)


_FUNCTIONS: list[Any] = []  # the loop, once it is compiled, with the engine that owns its code


def _function() -> Any:
    if not _FUNCTIONS:
        from autograd.compiler.backends.llvm.target import _engine, _machine

        machine = _machine()
        engine = _engine(_LOOP + _taking(machine["width"]), machine["machine"], True)
        address = engine.get_function_address("descend")
        _FUNCTIONS.append(engine)
        _FUNCTIONS.append(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(
            address))
    return _FUNCTIONS[1]
