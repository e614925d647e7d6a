"""The machine: LLVM started once, the C library's functions, machine code from the cache."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from autograd.compiler.backends.llvm import code_cache
from autograd.compiler.backends.llvm.ops import LIBM, PYTHONS, SCIPY
from autograd.compiler.backends.numpy import value_or_nan
from autograd.core.forking import lock
from autograd.core.primitive import lookup
from autograd.core.typing import Array
from autograd.special import from_scipy

try:
    import llvmlite.binding as llvm
except ImportError:
    raise ImportError('the LLVM back end needs llvmlite; pip install "chainrule[fast]"') from None

# LLVM in the midst of something, in a thread that a child does not have, would be of no use to the
# child: a fork waits for the end of it. llvmlite lets one thread in at a time, by this lock.
_one_at_a_time = getattr(llvm.ffi.lib, "_lock", None)
if _one_at_a_time is not None and hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_one_at_a_time.__enter__, after_in_parent=_one_at_a_time.__exit__,
                        after_in_child=_one_at_a_time.__exit__)

_MVEC = {8: "_ZGVeN8", 4: "_ZGVdN4", 2: "_ZGVbN2"}  # 512, 256 and 128 bits
_TWO_OPERANDS = {"pow", "atan2", "hypot"}
_lock = lock()
_started: dict[str, Any] = {}


def host() -> dict[str, Any]:
    """LLVM started once: the target machine, the width of its registers, libmvec's symbols."""
    with _lock:
        if not _started:
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
            features = llvm.get_host_cpu_features()
            width = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
            _started.update(  # all at once: a child may be forked at any moment
                machine=_target_machine(), quick=_target_machine(level=0), width=width,
                vector=_vector_functions(width))
        return _started


def _target_machine(level: int = 2) -> Any:
    # Position-independent code with far calls: the C library may lie anywhere.
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(),
        opt=level, reloc="pic", codemodel="jitdefault")


def _vector_functions(width: int) -> dict[str, str]:
    """The functions that libmvec has for a width; none where there is no libmvec."""
    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return {}
    found = {}
    for name in LIBM:
        symbol = f"{_MVEC[width]}{'vv' if name in _TWO_OPERANDS else 'v'}_{name}"
        if hasattr(library, symbol):
            address = ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value
            llvm.add_symbol(symbol, address)
            found[name] = symbol
    return found


@cache
def libm() -> ctypes.CDLL:
    """The C library's functions of numbers."""
    if sys.platform == "linux":
        with suppress(OSError):  # with another C library; to look for it starts other programs
            return ctypes.CDLL("libm.so.6")
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else ctypes.util.find_library("m"))


def _bind_libm() -> None:
    for name in LIBM:
        llvm.add_symbol(name, ctypes.cast(getattr(libm(), name), ctypes.c_void_p).value)


def _bind_scipy(assembly: str) -> None:
    """Give LLVM the functions of SciPy that an assembly calls, under names that stay the same."""
    for symbol, name, operands in re.findall(rf"^declare double @({SCIPY}(\w+))\((.*), i32\)",
                                             assembly, re.MULTILINE):
        if symbol not in _started:
            llvm.add_symbol(symbol, from_scipy.address(name, operands.count("double")))
            _started[symbol] = True


def _bind_rows(assembly: str) -> None:
    """Likewise the rows that it calls as they are."""
    for symbol, name in re.findall(rf"^declare void @({PYTHONS}(\w+))\(", assembly,
                                   re.MULTILINE):
        if symbol not in _started:
            row = lookup(name)
            doubles = [ctypes.c_double] * len(row.parameters)
            kind = ctypes.CFUNCTYPE(None, *doubles, ctypes.POINTER(ctypes.c_double))
            function = kind(_writing(value_or_nan(row)))
            llvm.add_symbol(symbol, ctypes.cast(function, ctypes.c_void_p).value)
            _started[symbol] = function  # which must live as long as machine code may call it


def _writing(value: Callable[..., float]) -> Callable[..., None]:
    """A function that writes its result to where its last operand points."""
    def write(*operands: Any) -> None:
        *numbers, place = operands
        place[0] = value(*numbers)

    return write


def aligned(count: int) -> Array:
    """Uninitialized numbers at an address that every register can be loaded from."""
    raw = np.empty(count + 8)
    shift = (-raw.ctypes.data // 8) % 8
    return raw[shift:shift + count]


def execution_engine(assembly: str, machine: Any, optimize: bool, unroll: bool = True) -> Any:
    """An execution engine that holds the machine code, from the cache where it is kept.

    Args:
        assembly: a module as text.
        machine: the target machine, one of those of the host.
        optimize: whether LLVM's passes are to look at it.
        unroll: whether these are to unroll loops.
    """
    with _lock:
        if "libm" not in _started:
            _bind_libm()
            _started["libm"] = True
        _bind_scipy(assembly)
        _bind_rows(assembly)
        is_quick = machine is _started["quick"]
        name = code_cache.name_of(
            assembly, f"{optimize} {unroll} {is_quick}",
            ".".join(map(str, llvm.llvm_version_info)), machine.triple,
            llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
        code = code_cache.load(name)
        if code is None:
            code = machine_code(assembly, machine, optimize, unroll)
            code_cache.store(name, code)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return engine


def machine_code(assembly: str, machine: Any, optimize: bool, unroll: bool = True) -> bytes:
    """An object file of an assembly's machine code."""
    module = llvm.parse_assembly(assembly)
    module.verify()
    if optimize:
        # From level 2 on LLVM looks for more, in half as much time again, and finds the same code.
        options = llvm.create_pipeline_tuning_options(speed_level=1)
        options.loop_unrolling = unroll
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code
