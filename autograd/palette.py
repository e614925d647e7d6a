"""The colours of all pictures, named by what they mean. Six digits: older ``dot`` asks for them."""

from __future__ import annotations

# Okabe and Ito's palette, which people with any common colour blindness can tell apart.
BLUE, VERMILION, GREEN, ORANGE = "#0072b2", "#d55e00", "#009e73", "#e69f00"
PURPLE, SKY, BLACK, YELLOW = "#cc79a7", "#56b4e9", "#000000", "#f0e442"

SERIES = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, YELLOW, BLACK)  # of lines, of classes
UNDECIDED = "#f7f7f7"  # between the colours of two classes
POSITIVE, NEGATIVE = BLUE, VERMILION  # weights
DIVERGED = "#c00000"  # the end of a descent that left all bounds
HEIGHTS = "viridis"  # matplotlib's map for surfaces: even steps of lightness, readable in grey
FORWARD, BACKWARD = BLUE, VERMILION  # passes
BACKWARD_TEXT = "#b3470b"  # vermilion, as dark as small letters need it

INK, EDGE = "#222222", "#555555"
ASIDE = "#636363"  # headings, and what has not been computed
CUT = "#767676"  # stands for nodes that are not drawn
PAPER, FRAME, INNER_FRAME = "#ffffff", "#cccccc", "#dddddd"

INPUT_FILL, COMPUTED_FILL, OUTPUT_FILL = "#e8f0fe", "#fff2cc", "#e2f0d9"
COST_FILL, FOLDED_FILL, RECEIVING_FILL = "#f8e0e6", "#eeeeee", "#fbe3d6"

# What a page takes instead where its reader prefers a dark one.
DARK = {
    "BLUE": "#5cb3ee", "VERMILION": "#ff8a4c", "GREEN": "#35c79a", "ORANGE": "#f2b632",
    "PURPLE": "#e3a6c8", "SKY": "#8fd0f5", "BLACK": "#f4f4f4", "YELLOW": "#f0e442",
    "UNDECIDED": "#2a2e36", "POSITIVE": "#5cb3ee", "NEGATIVE": "#ff8a4c",
    "DIVERGED": "#ff6b6b", "FORWARD": "#5cb3ee", "BACKWARD": "#ff8a4c",
    "BACKWARD_TEXT": "#ffa673",
    "INK": "#e9eaec", "EDGE": "#b4b9c1", "ASIDE": "#9da3ad", "CUT": "#7d838d",
    "PAPER": "#15181d", "FRAME": "#4b515b", "INNER_FRAME": "#363b44",
    "INPUT_FILL": "#1c3050", "COMPUTED_FILL": "#3f3717", "OUTPUT_FILL": "#24391f",
    "COST_FILL": "#46262f", "FOLDED_FILL": "#2b2f36", "RECEIVING_FILL": "#4d2d1c",
}
