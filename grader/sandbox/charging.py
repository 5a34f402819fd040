"""Faults of the judge's that follow an answer: tried once more, then the running test's failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.errors import AnsweredJudgeError

__all__ = ["Charging"]

_MOST_CRASHES = 6  # of the judge in one run, each of which costs a whole run


@dataclass(frozen=True, slots=True)
class Charging:
    """Which faults of the judge's count against the candidate from now on.

    Attributes:
        on: a fault that follows an answer is that test's failure.
        crashes: tests in which the judge as a whole was lost, in order; from the second time on
            they fail without being run.
    """

    on: bool = False
    crashes: tuple[str, ...] = ()

    def config(self) -> dict[str, object]:
        """What the judge, the transcript and a replay are told; nothing in an ordinary run."""
        charged = sorted({test for test in self.crashes if self.crashes.count(test) > 1})
        return {"charge": True, "charged": charged} if self.on else {}

    def after(self, error: AnsweredJudgeError) -> Charging:
        """The same after one more fault.

        Raises:
            AnsweredJudgeError: it has been tried often enough.
        """
        if not error.crashed and self.on:  # it should have been charged
            raise error
        if len(self.crashes) >= _MOST_CRASHES:
            raise error
        crashes = (*self.crashes, error.test) if error.crashed else self.crashes
        return Charging(on=True, crashes=crashes)
