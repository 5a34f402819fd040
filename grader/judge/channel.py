"""The way to one candidate as the judge sees it, and what a call there gave and cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from grader.judge.errors import CandidateError, ChannelFailure
from grader.wire.frames import Measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Channel", "Outcomes", "Stopwatch"]


class Channel(Protocol):
    """The way to one candidate. Every method raises ChannelFailure when no answer comes.

    Attributes:
        over: set once the run's time is up: no later question will be answered.
    """

    over: ChannelFailure | None

    def begin(self) -> bytes | None:
        """Start a fresh process and load the submission. None, or the encoded load error."""

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:
        """One question, one answer.

        Args:
            body: the question.
            spent_ns: how much of the call's time earlier questions of the same call took.
        """

    def end(self) -> bool:
        """End the process. True when bytes had come that nobody asked for."""

    def serve_questions(self, source: Callable[[bytes], bytes]) -> None:
        """Told who answers questions back: a stream's next item, a call of a stand-in."""

    def clock(self) -> Measure:
        """The judge's own time so far, as the orchestrator reads it."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a repeated call gave: distinct outcomes, and which one each call had."""

    distinct: tuple[object, ...]  # values, or CandidateError instances
    order: tuple[int, ...]

    def values(self) -> list[object]:
        """All values in call order; raises the first error."""
        for outcome in self.distinct:
            if isinstance(outcome, CandidateError):
                raise outcome
        return [self.distinct[index] for index in self.order]


@dataclass(slots=True)
class Stopwatch:
    """Cost of the judge's own work, to compare a candidate's with. Nanoseconds."""

    channel: Channel
    wall_ns: int = 0
    cpu_ns: int = -1
    _before: Measure = field(default_factory=lambda: Measure(0))

    def __enter__(self) -> Self:
        self._before = self.channel.clock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        after = self.channel.clock()
        self.wall_ns = after.wall_ns - self._before.wall_ns
        if after.cpu_ns >= 0 and self._before.cpu_ns >= 0:
            self.cpu_ns = after.cpu_ns - self._before.cpu_ns
