"""When a grading is as its label says, and which labels a short run looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring.labelled import Case, Outcome, problems, sample

LEVELS = {"code_correctness": "okay"}


def case(*failing: str, either: tuple[str, ...] = (), name: str = "wrong") -> Case:
    return Case(
        exercise="x",
        name=name,
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


def test_a_sample_has_one_small_defect_for_each_criterion() -> None:
    pair = case("edge", "core", name="pair_both")
    other = case("core", name="wrong_b")
    one = case("core", name="wrong_a")
    last = case("edge", "skew", name="wrong_edge_and_skew")

    assert sample([pair, other, one, last]) == [pair, one, last]


@pytest.mark.parametrize("name", ["reference", "correct_terse", "poor", "null_echo", "nb_hostile"])
def test_a_sample_keeps_all_that_are_no_defects(name: str) -> None:
    both = [case("core", name=name), case("core", name="wrong_core")]

    assert sample(both) == both
