"""Sizes of letters in plots, in points."""

from __future__ import annotations

LABEL_SIZE, TEXT_SIZE = 13, 11
