"""The LLVM back end: programs as machine code; import compilation, which needs llvmlite."""
