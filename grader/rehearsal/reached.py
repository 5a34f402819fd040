"""Which lines of a submission a test reaches, noted in the submission's own process.

A process of a candidate is killed at the end of a test, so each line is written down when it is
reached first. Processes that the submission starts itself are not seen.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

__all__ = ["REACHED", "lines_in", "trace_below"]

REACHED = "reached"  # where it is noted, beside the submission's folder; made by who wants it
_Tracer = Callable[["FrameType", str, Any], Any]


def trace_below(home: Path, notes: Path) -> None:
    """Note each line of code below `home` that this process reaches from here on.

    Does nothing where `notes` is not there.
    """
    if not notes.exists():
        return
    inside = f"{home.resolve()}{os.sep}"
    descriptor = os.open(notes, os.O_WRONLY | os.O_APPEND)
    seen: set[tuple[str, int]] = set()

    def at_line(frame: FrameType, event: str, argument: object) -> _Tracer:
        del event, argument
        place = (frame.f_code.co_filename, frame.f_lineno)
        if place not in seen:
            seen.add(place)
            os.write(descriptor, f"{place[0][len(inside) :]}\t{place[1]}\n".encode())
        return at_line

    def at_call(frame: FrameType, event: str, argument: object) -> _Tracer | None:
        del event, argument
        return at_line if frame.f_code.co_filename.startswith(inside) else None

    threading.settrace(at_call)
    sys.settrace(at_call)


def lines_in(notes: Path) -> set[tuple[str, int]]:
    """What was noted: path below the submission's folder, and line."""
    found = set()
    for text in notes.read_text("utf-8").splitlines():
        path, _, line = text.partition("\t")
        found.add((path, int(line)))
    return found
