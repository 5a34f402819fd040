"""What a JSON text would cost to parse, told without parsing it."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Weight", "weigh"]

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_LIGHT = 10_000
_MAX_CONTAINERS = 200_000
_MAX_MEMBERS = 500_000
_MAX_ITEMS = 4_000_000


@dataclass(frozen=True, slots=True)
class Weight:
    """At most how much there is in a text.

    Attributes:
        containers: lists and objects.
        members: of objects.
        items: of lists and objects.
    """

    containers: int
    members: int
    items: int

    @property
    def is_too_much(self) -> bool:
        """Whether what is parsed would take many times the memory of the text."""
        return (
            self.containers > _MAX_CONTAINERS
            or self.members > _MAX_MEMBERS
            or self.items > _MAX_ITEMS
        )


def weigh(data: bytes) -> Weight:
    """Count the marks outside strings.

    Brackets in strings are text: one interactive figure holds a library of its own.
    """
    found = _count(data)
    if max(found.containers, found.members, found.items) <= _LIGHT:
        return found
    return _count(_STRING.sub(b"", data))


def _count(data: bytes) -> Weight:
    containers = data.count(b"{") + data.count(b"[")
    return Weight(containers, data.count(b":"), data.count(b",") + containers)
