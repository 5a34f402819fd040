"""A fault of the judge's that follows an answer: once more, then the test's failure."""

from __future__ import annotations

import pytest

from grader.errors import AnsweredJudgeError
from grader.sandbox.charging import Charging


def fault(test: str = "t", *, crashed: bool = False) -> AnsweredJudgeError:
    return AnsweredJudgeError("x", test, crashed=crashed)


def test_an_ordinary_run_tells_the_judge_nothing() -> None:
    assert Charging().config() == {}


def test_the_second_time_a_fault_is_charged() -> None:
    again = Charging().after(fault())
    assert again.config() == {"charge": True, "charged": []}
    with pytest.raises(AnsweredJudgeError):
        again.after(fault())


def test_a_test_that_took_the_judge_down_twice_is_not_run_again() -> None:
    again = Charging().after(fault("a", crashed=True))
    assert again.config()["charged"] == []
    assert again.after(fault("a", crashed=True)).config()["charged"] == ["a"]


def test_the_tries_are_bounded() -> None:
    charging = Charging(on=True, crashes=tuple("abcdef"))
    with pytest.raises(AnsweredJudgeError):
        charging.after(fault("g", crashed=True))
