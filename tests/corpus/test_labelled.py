"""A sample of the labelled solutions gets what its labels say, in the real sandbox.

All of them take half an hour: ``make corpus`` and ``grade verify`` are for that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.authoring import labelled

ROOT = Path(__file__).resolve().parent.parent.parent
JOBS = 2
TWICE = ("imputation/mediocre", "inference_pipeline/mediocre", "leakage_debug/mediocre")

pytestmark = pytest.mark.docker

CASES = {
    f"{exercise}/{case.name}": case
    for exercise in labelled.exercises(ROOT)
    for case in labelled.sample(labelled.load_cases(exercise, ROOT))
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[Any]]:
    """The cases, graded in one process; some of them twice."""
    seed = labelled.seeds(1)[0]
    cases = [*labelled.cheapest_last(list(CASES.values())), *(CASES[name] for name in TWICE)]
    found: dict[str, list[Any]] = {name: [] for name in CASES}
    with labelled.Bench(JOBS, print, root=ROOT) as bench:
        for case, _, outcome in bench.grade((case, seed) for case in cases):
            found[f"{case.exercise}/{case.name}"].append(outcome)
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_labelled_solution_gets_what_its_label_says(
    outcomes: dict[str, list[Any]], name: str
) -> None:
    assert labelled.problems(CASES[name], outcomes[name][0]) == []


@pytest.mark.parametrize("name", TWICE)
def test_two_gradings_give_the_same_report(outcomes: dict[str, list[Any]], name: str) -> None:
    first, second = (outcome.stable for outcome in outcomes[name])

    assert first == second


@pytest.mark.parametrize("name", [name for name in CASES if "/null_" in name])
def test_a_null_submission_gets_the_floor(outcomes: dict[str, list[Any]], name: str) -> None:
    assert set(outcomes[name][0].levels.values()) == {"poor"}


@pytest.mark.parametrize(
    "name", [name for name in CASES if "/correct_" in name or name.endswith("/reference")]
)
def test_a_correct_solution_scores_full_in_every_style(
    outcomes: dict[str, list[Any]], name: str
) -> None:
    assert outcomes[name][0].failing == frozenset()
