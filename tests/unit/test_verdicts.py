"""Kept outcomes: found for the same files, and for nothing else."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.authoring import labelled
from grader.authoring.labelled import Case, Outcome
from grader.authoring.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SEED = "0" * 32
OUTCOME = Outcome(
    failing=frozenset({"core", "edge"}),
    tests=frozenset({"test_core.py::test_x"}),
    band="below",
    levels={"code_correctness": "poor"},
    overall=1.0,
    stable="{\u00fc}".encode(),
    seconds=1.5,
    test_seconds=1.0,
    cpu_seconds=0.5,
)


@pytest.fixture
def case() -> Case:
    return labelled.load_case(ROOT / "hidden_tests/imputation/solutions/poor", "imputation", ROOT)


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


class Grader:
    """Gives one outcome for everything, and counts."""

    def __init__(self) -> None:
        self.asked: list[tuple[Case, str]] = []

    def __call__(self, runs: list[tuple[Case, str]]) -> Iterator[tuple[Case, str, Outcome]]:
        self.asked += runs
        return ((case, seed, OUTCOME) for case, seed in runs)


def graded(verdicts: Verdicts, case: Case, seed: str = SEED) -> int:
    """How many gradings one run takes; what comes out is the outcome in any case."""
    grade = Grader()
    assert list(verdicts.through(grade, [(case, seed)])) == [(case, seed, OUTCOME)]
    return len(grade.asked)


def test_an_unchanged_case_is_graded_once(tmp_path: Path, case: Case) -> None:
    first, second = (Verdicts(ROOT, ("w",), folder=tmp_path) for _ in range(2))
    assert [graded(first, case), graded(second, case)] == [1, 0]
    assert (second.found, second.graded) == (1, 0)
    assert second.told() == "0 graded, 1 kept from earlier gradings of the same files"


def test_another_seed_or_another_way_is_another_grading(tmp_path: Path, case: Case) -> None:
    kept = Verdicts(ROOT, ("image a",), folder=tmp_path)
    assert graded(kept, case) == 1
    assert graded(kept, case, "1" * 32) == 1
    assert graded(Verdicts(ROOT, ("image b",), folder=tmp_path), case) == 1


def test_a_changed_file_limit_or_label_is_another_grading(case: Case, tmp_path: Path) -> None:
    kept = Verdicts(ROOT, (), folder=tmp_path / "kept")
    files = tmp_path / "files"
    shutil.copytree(case.files, files)
    (files / "solution.py").write_text("x = 1\n")
    others = [
        dataclasses.replace(case, files=files, folder=files),
        dataclasses.replace(case, limits={"wall_seconds": 8}),
        dataclasses.replace(case, failing=frozenset({"leak"})),
    ]
    keys = {kept.key(it, SEED) for it in (case, *others)}
    assert len(keys) == 4


def test_fresh_grades_again(tmp_path: Path, case: Case) -> None:
    assert graded(Verdicts(ROOT, (), folder=tmp_path), case) == 1
    assert graded(Verdicts(ROOT, (), folder=tmp_path, fresh=True), case) == 1


def test_nothing_is_kept_in_continuous_integration(
    tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert graded(Verdicts(ROOT, (), folder=tmp_path), case) == 1
    monkeypatch.setenv("CI", "true")
    assert graded(Verdicts(ROOT, (), folder=tmp_path), case) == 1
    assert graded(Verdicts(ROOT, (), folder=tmp_path / "none"), case) == 1
    assert not (tmp_path / "none").exists()


def test_a_damaged_or_renamed_file_is_no_outcome(tmp_path: Path, case: Case) -> None:
    kept = Verdicts(ROOT, (), folder=tmp_path)
    assert graded(kept, case) == 1
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    assert graded(kept, case) == 1
    path.write_bytes(whole.replace(path.stem.encode(), b"0" * 64))
    assert graded(kept, case) == 1
