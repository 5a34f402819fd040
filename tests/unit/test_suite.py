"""Two digests: of the questions, and of what scores the answers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.errors import ExerciseError
from grader.exercise.contract import load_exercise
from grader.exercise.suite import load_suite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("exercises/imputation", "hidden_tests/imputation"):
        left_out = shutil.ignore_patterns("solutions", "starter", "__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=left_out)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def digests(root: Path) -> tuple[str, str]:
    exercise = load_exercise("imputation", root=root)
    return load_suite(exercise.hidden_dir).digest, exercise.scoring_digest


@pytest.mark.parametrize(
    ("file", "questions", "scoring"),
    [
        ("hidden_tests/imputation/test_core.py", True, False),
        ("hidden_tests/imputation/data.py", True, False),
        ("hidden_tests/imputation/rubric.toml", False, True),
        ("hidden_tests/imputation/DEFECTS.md", False, False),
    ],
)
def test_a_change_moves_the_digest_of_its_kind(
    root: Path, file: str, questions: bool, scoring: bool
) -> None:
    before = digests(root)
    with (root / file).open("a") as text:
        text.write("\n# changed\n")
    after = digests(root)
    assert (before[0] != after[0], before[1] != after[1]) == (questions, scoring)


def test_an_expectation_belongs_to_the_scoring(root: Path) -> None:
    before = digests(root)
    path = root / "exercises/imputation/exercise.toml"
    path.write_text(path.read_text().replace("overall = 3.8", "overall = 3.9"))
    after = digests(root)
    assert (before[0] == after[0], before[1] != after[1]) == (True, True)


def test_the_judge_gets_neither_rubric_nor_notes(root: Path) -> None:
    files = load_suite(root / "hidden_tests/imputation").files
    assert "test_core.py" in files
    assert not [name for name in files if name.endswith((".md", ".toml"))]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def test_a(:\n", r"test_x\.py:1: this is no Python"),
        ("\n\ndef test_a(solution):\n    pass\n", r"test_x\.py:3: test_a has no criterion"),
        ("@pytest.mark.skip\ndef test_a(solution):\n    pass\n", "test_a has no criterion"),
    ],
)
def test_an_authors_slip_is_named_before_anything_starts(
    tmp_path: Path, source: str, message: str
) -> None:
    (tmp_path / "test_x.py").write_text(source)
    with pytest.raises(ExerciseError, match=message) as caught:
        load_suite(tmp_path)
    assert caught.value.exit_code == 2


def test_a_mark_of_the_suites_own_counts(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("@core\ndef test_a(solution):\n    pass\n")
    assert set(load_suite(tmp_path).files) == {"test_x.py"}
