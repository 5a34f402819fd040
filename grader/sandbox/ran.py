"""What the candidate's processes reported of the code that they ran, held against the review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.wire.frames import Frame, Kind, pack_json, unpack_json

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["RanCode", "hold_against"]

_LOADED = "loaded"  # as the hook in the container says of a file of the submission's
_UNTOLD = "a process ended without telling what it ran"
_UNREAD = "a file was loaded that no import names"
_SHOWN = 4
_PLACE = 300


class RanCode:
    """The reports of a run, each once."""

    def __init__(self) -> None:
        self.loaded: dict[str, None] = {}
        self._others: dict[tuple[str, str], None] = {}

    def add(self, reports: Sequence[tuple[str, str]]) -> None:
        """Take what came at the end of a test."""
        for kind, place in reports:
            if kind == _LOADED:
                self.loaded.setdefault(place)
            else:
                self._others.setdefault((kind, place))

    def untold(self) -> None:
        """A test ended, and nobody said what had run in it."""
        self._others.setdefault((_UNTOLD, ""))

    def unreviewed(self, read: Collection[str] | None) -> list[tuple[str, str]]:
        """What ran that was not reviewed: what, and where in the submission.

        Args:
            read: the files that the analyst read; None where it could read none.
        """
        unread = [path for path in self.loaded if read is not None and path not in read]
        return [*((_UNREAD, path) for path in unread), *self._others]


def hold_against(
    frames: Sequence[Frame],
    ran: RanCode,
    read: Collection[str] | None,
    criteria: Collection[str],
) -> list[Frame]:
    """A review in which no check on the code passes where other code ran than was read.

    Args:
        frames: what the analyst gave.
        ran: what the candidate's processes reported.
        read: the files that the analyst read; None where it could read none.
        criteria: of the checks that look at code.
    """
    found = ran.unreviewed(read)
    if not found:
        return list(frames)
    shown = [f"{what}: {place}" if place else what for what, place in found[:_SHOWN]]
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    verdict: dict[str, object] = {
        "status": "failed",
        "cause": "finding",
        "message": f"code ran that was not reviewed: {'; '.join(shown)}{more}",
        "where": found[0][1][:_PLACE],
        "measurements": [],
    }
    return [_with(frame, verdict, criteria) for frame in frames]


def _with(frame: Frame, verdict: dict[str, object], criteria: Collection[str]) -> Frame:
    if frame.kind is not Kind.EVIDENCE:
        return frame
    told = unpack_json(frame.body)
    if told.get("criterion") not in criteria:
        return frame
    return Frame(frame.kind, frame.number, pack_json({**told, **verdict}), frame.deadline_ms)
