"""Levels of the two static categories by the bundled rubric, and the exemplars with labels."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.analyst.analysis import analyse
from grader.analyst.reach import Contract
from grader.authoring.author_mode import is_too_new
from grader.authoring.labels import files_below, load_cases, sources
from grader.exercise.contract import load_exercise
from grader.models import CollectedTest, Evidence, Status
from grader.scoring.evidence import collected_tests, evidence_of
from grader.scoring.score import score

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
EXEMPLARS = ROOT / "tests/corpus/static"
STATIC = ("code_clarity", "python_proficiency")
EXERCISE = load_exercise("imputation", root=ROOT)
CONTRACT = Contract(
    EXERCISE.entry,
    tuple(function.name for function in EXERCISE.functions),
    {f.name: f.methods for f in EXERCISE.functions if f.methods},
)


@dataclass(frozen=True)
class Exemplar:
    """A folder of source, and what its labeller says of it."""

    name: str
    sources: Mapping[str, bytes]
    levels: tuple[str, str]

    def files(self) -> dict[str, bytes]:
        return {name: data for name, data in self.sources.items() if name.endswith(".py")}


def exemplars() -> list[Exemplar]:
    found = []
    for path in sorted(EXEMPLARS.glob("*/expected.toml")):
        label = tomllib.loads(path.read_text())
        levels = (label["code_clarity"], label["python_proficiency"])
        found.append(Exemplar(path.parent.name, files_below(path.parent), levels))
    for case in load_cases("imputation", ROOT):
        if case.name.startswith("correct_") and not is_too_new(case.folder):
            levels = (case.levels["code_clarity"], case.levels["python_proficiency"])
            found.append(Exemplar(case.name, sources(case), levels))
    return found


def records(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """The records by the check's short name."""
    return {str(item["id"]).rpartition("::")[2]: item for item in analyse(files, CONTRACT)}


def failed(files: Mapping[str, bytes]) -> set[str]:
    return {name for name, item in records(files).items() if item["status"] == "failed"}


def levels(files: Mapping[str, bytes]) -> tuple[str, str]:
    """The two levels that a submission with correct behaviour gets."""
    told = list(records(files).values())
    evidence = evidence_of(collected_tests(told), told)
    core = Evidence(CollectedTest("test_core.py::x", "core", "", ""), Status.PASSED)
    card = score(
        (core, *evidence),
        EXERCISE.rubric,
        EXERCISE.expectation,
    )
    by_id = {item.id: item.level.name.lower() for item in card.categories}
    return by_id["code_clarity"], by_id["python_proficiency"]
