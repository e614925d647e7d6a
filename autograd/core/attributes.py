"""Attributes: what objects hold in their dictionaries and slots, without calling their code."""

from __future__ import annotations

from types import MemberDescriptorType
from typing import Any

MISSING = object()

# Slots that are no part of what an object is: what is kept there is neither watched nor copied.
unseen_slots: set[Any] = set()


def attributes_of(item: Any) -> dict[str, Any]:
    """The attributes of an object, by name; for those of its slots that have no value MISSING."""
    found = dict(getattr(item, "__dict__", None) or {})
    for cls in type(item).__mro__:
        if "__slots__" in cls.__dict__:
            for name, slot in cls.__dict__.items():
                if isinstance(slot, MemberDescriptorType) and slot not in unseen_slots:
                    found[name] = of_slot(slot, item)
    return found


def slot_of(item: Any, name: str) -> MemberDescriptorType | None:
    """The slot of an object that has this name, if there is one."""
    for cls in type(item).__mro__:
        if isinstance(slot := cls.__dict__.get(name), MemberDescriptorType):
            return slot
    return None


def of_slot(slot: MemberDescriptorType, item: Any) -> Any:
    """What is in a slot of an object, MISSING if nothing is."""
    try:
        return slot.__get__(item)
    except AttributeError:
        return MISSING
