"""Labelled solutions get what their labels say, some of them in the real sandbox.

In the sandbox: notebooks, nulls, cases with limits, styles whose libraries start threads or have
several files, and for each criterion one of the defects that cost it (of an exercise in `FEWER` one
in so many of these). The others run in author mode (`grader.authoring.author_mode`): correct ones
with all tests, defects with every test that may fail and one in `SHARE` of the others, and of an
exercise in `FEW` one defect in so many. A grading of an exercise in `KEPT` costs the most
CPU time, so of its other solutions only those are graded. ``make corpus`` and ``grade verify``
grade all of them in the sandbox with all tests: run one of them after a change of such a suite.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.authoring import author_mode, labelled
from grader.authoring.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.authoring.labelled import Case, Outcome

ROOT = Path(__file__).resolve().parent.parent.parent
JOBS = 2
SHARE = 8
# Suites that train models, or draw many windows: one in so many of their other defects.
FEW = {"leakage_debug": 4, "drift_monitor": 6}
# A grading costs the most CPU time: one in so many of the sample's defects is in the sandbox.
FEWER = {"drift_monitor": 12}
# The like: what is graded here of the solutions that are no defect and no null.
KEPT = {
    "drift_monitor": (
        *("reference", "nb_correct", "correct_numpy"),
        *("correct_psi", "correct_at_the_rates", "poor"),
    )
}
TWICE = (
    "imputation/mediocre",
    "inference_pipeline/mediocre",
    "leakage_debug/mediocre",
    "predict_service/mediocre",
)

ALL = {
    f"{exercise}/{case.name}": case
    for exercise in labelled.exercises(ROOT)
    for case in labelled.load_cases(exercise, ROOT)
}


def is_one_of_few(case: Case) -> bool:
    """Whether a defect is among the few that stand for its like; chosen by its name."""
    return zlib.crc32(case.name.encode()) % FEW.get(case.exercise, 1) == 0


def few_of(cases: list[Case], one_in: int) -> set[str]:
    """Names of one in so many cases, at least of one."""
    names = sorted((case.name for case in cases), key=lambda name: zlib.crc32(name.encode()))
    return set(names[::one_in])


def is_left_out(case: Case) -> bool:
    """Whether a solution of a slow suite is left to ``make corpus`` and ``grade verify``."""
    kept = KEPT.get(case.exercise)
    defect_or_null = case.name.startswith((*labelled.ONE_OF_MANY, "null_"))
    return kept is not None and not defect_or_null and case.name not in kept


def is_graded_here(case: Case) -> bool:
    """Whether author mode grades a case that the sandbox does not."""
    if is_left_out(case):
        return False
    return not case.name.startswith(labelled.ONE_OF_MANY) or is_one_of_few(case)


def in_the_sandbox(exercise: str) -> list[Case]:
    """What the sandbox grades here; of some defects author mode grades most in its place."""
    cases = author_mode.sandbox_sample(labelled.load_cases(exercise, ROOT))
    defects = [
        case
        for case in cases
        if case.name.startswith(labelled.ONE_OF_MANY) and not author_mode.needs_sandbox(case)
    ]
    few = few_of(defects, FEWER.get(exercise, 1))
    return [
        case
        for case in cases
        if not is_left_out(case) and (case not in defects or case.name in few)
    ]


CASES = {
    f"{exercise}/{case.name}": case
    for exercise in labelled.exercises(ROOT)
    for case in in_the_sandbox(exercise)
}


IN_AUTHOR_MODE = {
    name: case for name, case in ALL.items() if name not in CASES and is_graded_here(case)
}


def runs(names: dict[str, Case]) -> list[tuple[Case, str]]:
    """Each case with the first seed."""
    return [(case, labelled.seeds(1)[0]) for case in labelled.cheapest_last(list(names.values()))]


def by_name(found: Any) -> dict[str, Outcome]:
    return {f"{case.exercise}/{case.name}": outcome for case, _, outcome in found}


@pytest.fixture(scope="module")
def outcomes(no_cache: bool, tell: Callable[[str], None]) -> dict[str, list[Outcome]]:
    """The cases of the sandbox; some are graded twice, and of those nothing is looked up."""
    with labelled.Bench(JOBS, print, root=ROOT) as bench:
        verdicts = Verdicts(
            ROOT, ("sandbox", *bench.facts(labelled.exercises(ROOT))), fresh=no_cache
        )
        once = {name: case for name, case in CASES.items() if name not in TWICE}
        found = {
            name: [it] for name, it in by_name(verdicts.through(bench.grade, runs(once))).items()
        }
        twice = runs({name: CASES[name] for name in TWICE})
        for case, _, outcome in bench.grade(twice * 2):
            found.setdefault(f"{case.exercise}/{case.name}", []).append(outcome)
    tell(f"labelled solutions in the sandbox: {verdicts.told()}")
    return found


def in_author_mode(
    cases: dict[str, Case], tell: Callable[[str], None], *, fresh: bool
) -> dict[str, Outcome]:
    """Outcomes of cases by name."""

    def grade(some: list[tuple[Case, str]]) -> Any:
        return author_mode.grade_all(some, root=ROOT, jobs=JOBS, share=SHARE)

    verdicts = Verdicts(ROOT, ("author mode", str(SHARE)), fresh=fresh)
    found = by_name(verdicts.through(grade, runs(cases)))
    tell(f"labelled solutions in author mode: {verdicts.told()}")
    return found


@pytest.fixture(scope="module")
def author_outcomes(no_cache: bool, tell: Callable[[str], None]) -> dict[str, Outcome]:
    """The cases that the sandbox does not grade here."""
    return in_author_mode(IN_AUTHOR_MODE, tell, fresh=no_cache)


@pytest.fixture(scope="module")
def both_ways(no_cache: bool, tell: Callable[[str], None]) -> dict[str, Outcome]:
    """Cases that the sandbox grades as well."""
    cases = {name: CASES[name] for name in TWICE}
    return in_author_mode(cases, tell, fresh=no_cache)


def test_only_solutions_of_a_slow_suite_are_left_out() -> None:
    for name in ALL.keys() - CASES.keys() - IN_AUTHOR_MODE.keys():
        case = ALL[name]
        assert case.exercise in FEW
        assert case.name.startswith(labelled.ONE_OF_MANY) or case.exercise in KEPT
    assert not any(author_mode.needs_sandbox(case) for case in IN_AUTHOR_MODE.values())
    assert set(TWICE) <= CASES.keys()
    for exercise, kept in KEPT.items():
        assert {f"{exercise}/{name}" for name in kept} <= CASES.keys() | IN_AUTHOR_MODE.keys()
        assert any(name.startswith(f"{exercise}/wrong_") for name in CASES)


@pytest.mark.docker
@pytest.mark.parametrize("name", CASES)
def test_a_labelled_solution_gets_what_its_label_says(
    outcomes: dict[str, list[Outcome]], name: str
) -> None:
    assert labelled.problems(CASES[name], outcomes[name][0]) == []


@pytest.mark.docker
@pytest.mark.parametrize("name", TWICE)
def test_two_gradings_give_the_same_report(outcomes: dict[str, list[Outcome]], name: str) -> None:
    first, second = (outcome.stable for outcome in outcomes[name])

    assert first == second


@pytest.mark.docker
@pytest.mark.parametrize("name", [name for name in CASES if "/null_" in name])
def test_a_null_submission_gets_the_floor(outcomes: dict[str, list[Outcome]], name: str) -> None:
    assert set(outcomes[name][0].levels.values()) == {"poor"}


def is_correct(name: str) -> bool:
    return "/correct_" in name or name.endswith("/reference")


@pytest.mark.docker
@pytest.mark.parametrize("name", list(filter(is_correct, CASES)))
def test_a_correct_solution_scores_full_in_the_sandbox(
    outcomes: dict[str, list[Outcome]], name: str
) -> None:
    assert outcomes[name][0].failing == frozenset()


@pytest.mark.parametrize("name", IN_AUTHOR_MODE)
def test_without_containers_a_labelled_solution_gets_what_its_label_says(
    author_outcomes: dict[str, Outcome], name: str
) -> None:
    assert labelled.problems(IN_AUTHOR_MODE[name], author_outcomes[name]) == []


@pytest.mark.parametrize("name", list(filter(is_correct, IN_AUTHOR_MODE)))
def test_a_correct_solution_scores_full_in_every_style(
    author_outcomes: dict[str, Outcome], name: str
) -> None:
    assert author_outcomes[name].failing == frozenset()


@pytest.mark.docker
@pytest.mark.parametrize("name", TWICE)
def test_author_mode_finds_what_the_sandbox_finds(
    outcomes: dict[str, list[Outcome]], both_ways: dict[str, Outcome], name: str
) -> None:
    there, here = outcomes[name][0], both_ways[name]

    assert (here.tests, here.levels, here.band) == (there.tests, there.levels, there.band)
