"""How much of what a submission wrote a report for people shows.

Each test may have written as much as its limit allows, of which a report of sixty tests takes
seconds to lay out and nobody reads the end. ``report.json`` holds all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.text import CandidateText, clip, clip_lines

if TYPE_CHECKING:
    from grader.report.model import Report

__all__ = ["Output", "output_shown"]

_EACH_CHARS, _EACH_LINES = 3000, 60
_ALL_CHARS = 150_000
_LINE_COST = 40  # characters; short lines take longer to lay out than their length says


@dataclass(frozen=True, slots=True)
class Output:
    """A stream of one test, as far as it is shown.

    Attributes:
        test_id: the test.
        stream: ``stdout`` or ``stderr``.
        text: its beginning, and how much more there was.
        truncated: the sandbox had already cut it off.
    """

    test_id: str
    stream: str
    text: CandidateText
    truncated: bool


def output_shown(report: Report) -> tuple[list[Output], int]:
    """What the submission wrote, up to a total, and how many streams did not fit."""
    shown: list[Output] = []
    room, left = _ALL_CHARS, 0
    for capture in report.moment.captures:
        for stream, text in (("stdout", capture.stdout), ("stderr", capture.stderr)):
            if not text.raw:
                continue
            if room <= 0:
                left += 1
                continue
            part = clip(clip_lines(text, _EACH_LINES), min(_EACH_CHARS, room))
            room -= len(part.raw) + _LINE_COST * part.raw.count("\n")
            shown.append(Output(capture.test_id, stream, part, capture.truncated))
    return shown, left
