"""Levels and bands of labelled defects follow from their severity."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from grader.authoring.labels import Case, exercises, known_costs, load_case, load_cases
from grader.authoring.severity import severity_problems
from grader.exercise.contract import load_exercise

ROOT = Path(__file__).resolve().parents[2]
RANKED = [name for name in exercises(ROOT) if load_exercise(name, root=ROOT).expectation.headline]
DEFECTS = [
    case for name in RANKED for case in load_cases(name, ROOT) if case.name.startswith("wrong_")
]
BASE = load_case(ROOT / "hidden_tests/imputation/solutions/reference", "imputation", ROOT)


def defect(severity: str, band: str = "exceeds", **levels: str) -> Case:
    changed = {**BASE.levels, **levels}
    return dataclasses.replace(BASE, severity=severity, band=band, levels=changed)


@pytest.mark.parametrize("case", DEFECTS, ids=lambda case: f"{case.exercise}/{case.name}")
def test_the_band_of_a_defect_follows_from_its_severity(case: Case) -> None:
    base = known_costs(case, ROOT)
    assert base is not None or case.severity
    assert severity_problems(case, base or BASE) == []


@pytest.mark.parametrize(
    "case",
    [
        defect("headline", "meets"),
        defect("serious", "exceeds"),
        defect("minor"),
        defect("minor", code_correctness="okay"),
        defect("minor", code_correctness="strong", ml_awareness="strong"),
        defect(""),
    ],
)
def test_a_label_that_contradicts_its_severity_is_found(case: Case) -> None:
    assert severity_problems(case, BASE)


@pytest.mark.parametrize(
    "case",
    [
        defect("headline", "below", ml_awareness="okay"),
        defect("serious", "meets", code_correctness="okay"),
        defect("minor", "exceeds", code_correctness="strong"),
    ],
)
def test_a_label_that_follows_its_severity_is_in_order(case: Case) -> None:
    assert severity_problems(case, BASE) == []
