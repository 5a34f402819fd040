"""When a grading is as its label says."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.labelled import Case, Outcome, problems

LEVELS = {"code_correctness": "okay"}


def case(*failing: str, either: tuple[str, ...] = ()) -> Case:
    return Case(
        exercise="x",
        name="wrong",
        folder=Path("wrong"),
        files=Path("wrong"),
        failing=frozenset(failing),
        either=frozenset(either),
        tests=None,
        band="meets",
        levels=LEVELS,
        limits={},
    )


def outcome(*failing: str) -> Outcome:
    return Outcome(
        failing=frozenset(failing),
        tests=frozenset(),
        band="meets",
        levels=LEVELS,
        overall=2.5,
        stable=b"",
        seconds=1.0,
        test_seconds=1.0,
        cpu_seconds=1.0,
    )


@pytest.mark.parametrize("failing", [("edge",), ("core", "edge")])
def test_a_criterion_of_which_the_seed_decides_may_fail_or_not(failing: tuple[str, ...]) -> None:
    assert problems(case("edge", either=("core",)), outcome(*failing)) == []


@pytest.mark.parametrize("failing", [(), ("core",), ("edge", "runs")])
def test_every_other_criterion_is_held_to_the_label(failing: tuple[str, ...]) -> None:
    assert len(problems(case("edge", either=("core",)), outcome(*failing))) == 1


def test_without_such_a_criterion_the_label_is_exact() -> None:
    assert problems(case("core"), outcome("core")) == []
    assert problems(case("core"), outcome()) == ["failing criteria [], not ['core']"]
