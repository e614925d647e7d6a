"""Pages that compute by themselves: one HTML text each, with no server and no network."""

from autograd.pages.page import Page

__all__ = ["Page"]
