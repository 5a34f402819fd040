from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.errors import ExerciseError, UsageError
from grader.exercise.contract import (
    SENIORITIES,
    detect_exercise,
    list_exercises,
    load_exercise,
)
from grader.exercise.environment import read_packages
from grader.exercise.sheet import read_sheet
from grader.models import Submission

if TYPE_CHECKING:
    from grader.models import Exercise

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the repository's imputation exercise that a test may break."""
    for folder, name in (("exercises", "exercise.toml"), ("hidden_tests", "rubric.toml")):
        (tmp_path / folder / "imputation").mkdir(parents=True)
        shutil.copy(ROOT / folder / "imputation" / name, tmp_path / folder / "imputation" / name)
    shutil.copy(ROOT / "exercises/imputation/README.md", tmp_path / "exercises/imputation")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "sandbox.txt").write_text("pandas==3.1.1 \\\n    --hash=x\n")
    return tmp_path


def submission(exercise_id: str | None) -> Submission:
    return Submission("s", Path("s.zip"), "0" * 64, (), exercise_id=exercise_id)


def two(exercise: Exercise) -> tuple[Exercise, Exercise]:
    return exercise, dataclasses.replace(exercise, id="churn")


def test_the_imputation_exercise_has_the_contract_of_its_task() -> None:
    exercise = load_exercise("imputation", root=ROOT)
    assert [f.name for f in exercise.functions] == ["missing_report", "impute", "MedianImputer"]
    assert exercise.functions[2].methods == ("fit", "transform", "fit_transform")
    assert (exercise.minutes, exercise.seniority, exercise.entry) == (60, "mid", "solution.py")


def test_sizes_are_read_with_their_unit() -> None:
    limits = load_exercise("imputation", root=ROOT).limits
    assert (limits.memory, limits.output_bytes, limits.reply_bytes) == (1 << 30, 64 << 10, 64 << 20)


def test_offered_packages_come_from_the_pinned_requirements() -> None:
    packages = load_exercise("imputation", root=ROOT).packages
    assert {"numpy", "pandas", "scikit-learn", "scipy", "pyarrow", "joblib"} <= packages.keys()


def test_every_seniority_has_expectations() -> None:
    assert tuple(load_exercise("imputation", root=ROOT).expectations) == SENIORITIES


def test_all_exercises_are_listed(root: Path) -> None:
    assert [exercise.id for exercise in list_exercises(root)] == ["imputation"]


def test_a_root_without_exercises_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no exercise"):
        list_exercises(tmp_path)


@pytest.mark.parametrize("name", ["imputaton", "../imputation", "", "a\x1b[2Jb"])
def test_an_unknown_exercise_is_a_usage_error_that_lists_those_there_are(
    root: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="exercises here: imputation") as caught:
        load_exercise(name, root=root)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "imputation"', 'id = "other"', "id: must be the folder's name"),
        ("minutes = 60", 'minutes = "60"', "minutes: must be a whole number"),
        ("minutes = 60", "minuts = 60", "minutes: is missing.*'minuts'"),
        ("minutes = 60", "minutes = 60\nminuts = 1", "minuts: is not a key.*'minutes'"),
        ('seniority = "mid"', 'seniority = "middle"', "one of junior, mid, senior, principal"),
        ('entry = "solution.py"', 'entry = "../x.py"', "entry: must be a Python file name"),
        ('memory = "1 GiB"', 'memory = "1 GB"', r"limits.memory: must be a size such as"),
        ('memory = "1 GiB"', "memory = -1", r"limits.memory: must be a size such as"),
        ("pids = 128", "pids = true", "limits.pids: must be a whole number"),
        ("cpus = 1.0", "cpus = inf", "limits.cpus: must be a number"),
        ("call_seconds = 10 ", "call_seconds = 1000 ", "wall_seconds: must not be below"),
        ('name = "impute"', 'name = "missing_report"', "listed twice"),
        ('parameters = ["df"]', "parameters = [1]", "must hold Python names only"),
        ("overall = 1.8", "overall = 1.0", "meets: needs an overall above 1"),
        ("overall = 3.0", "overall = 2.3", r"senior.meets: asks for less than mid does \(overall"),
        ("overall = 3.4", "overall = 2.4", r"mid.exceeds: asks for less than meets does"),
        (
            'ml_awareness = "strong", python_proficiency = "strong" }',
            'python_proficiency = "strong" }',
            r"senior.meets: asks for less than mid does \(ml_awareness\)",
        ),
        ("overall = 2.7, ", 'overall = 2.7, code_correctnes = "okay", ', "did you mean"),
        ("overall = 3.8, ", 'overall = 3.8, problem_solving = "excellent", ', "is provisional"),
        ('headline = ["median"', 'headline = ["no-such-line"', "which the task sheet lacks"),
        (
            'preload = ["pandas", "sklearn.impute", "sklearn.compose"]',
            'preload = "pandas"',
            "must be a list",
        ),
        ('version = "2.0"', 'version = "one"', "version: must be a version"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_fix(
    root: Path, old: str, new: str, message: str
) -> None:
    path = root / "exercises" / "imputation" / "exercise.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ExerciseError, match=message) as caught:
        load_exercise("imputation", root=root)
    assert "exercise.toml" in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(root: Path) -> None:
    (root / "exercises" / "imputation" / "exercise.toml").write_bytes(b"id = '\xff'")
    with pytest.raises(ExerciseError, match="not UTF-8"):
        load_exercise("imputation", root=root)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("| line | rule |\n|---|---|\n| one row | x |", "README.md:3: a line needs a name"),
        ("| line | rule |\n|---|---|\n| `a` | x |\n| `a` | y |", "README.md:4: .* twice"),
    ],
)
def test_a_broken_line_of_the_task_sheet_is_named(root: Path, table: str, message: str) -> None:
    (root / "exercises/imputation/README.md").write_text(table)
    with pytest.raises(ExerciseError, match=message):
        load_exercise("imputation", root=root)


def test_lines_of_the_task_sheet_have_name_and_text(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(
        "# T\n\n| what | x |\n|---|---|\n| no | line |\n\n"
        "| Line | rule | because |\n|:--|---|---|\n| `a-1` | A \\| b. | c |\n\n"
        "text\n\n| line | rule |\n|---|---|\n| `b` | B |\n"
    )
    assert read_sheet(path) == {"a-1": "A | b.", "b": "B"}


def test_a_missing_task_sheet_is_named(root: Path) -> None:
    (root / "exercises/imputation/README.md").unlink()
    with pytest.raises(ExerciseError, match=r"README.md: cannot be read"):
        load_exercise("imputation", root=root)


def test_a_missing_rubric_is_named(root: Path) -> None:
    (root / "hidden_tests" / "imputation" / "rubric.toml").unlink()
    with pytest.raises(ExerciseError, match=r"rubric.toml: there is no such file"):
        load_exercise("imputation", root=root)


def test_of_lines_with_a_python_marker_the_one_for_the_sandbox_counts(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.txt"
    path.write_text(
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:0\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:1\n"
        "# via pandas\n"
    )
    assert read_packages(path, "3.11") == {"numpy": "2.4.6"}
    assert read_packages(path, "3.13") == {"numpy": "2.5.5"}


def test_a_marker_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.txt"
    path.write_text("colorama==0.4 ; sys_platform == 'win32'\n")
    with pytest.raises(ExerciseError, match="sys_platform"):
        read_packages(path)


def test_requirements_that_pin_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.txt"
    path.write_text("numpy>=2\n")
    with pytest.raises(ExerciseError, match="pins no package"):
        read_packages(path)


def test_the_only_exercise_needs_no_option(root: Path) -> None:
    exercises = list_exercises(root)
    assert detect_exercise(submission(None), exercises, None) is exercises[0]


def test_several_exercises_and_no_marker_ask_for_the_option(root: Path) -> None:
    exercises = two(list_exercises(root)[0])
    with pytest.raises(UsageError, match="--exercise with one of: churn, imputation"):
        detect_exercise(submission(None), exercises, None)


def test_the_marker_decides_among_several(root: Path) -> None:
    exercises = two(list_exercises(root)[0])
    assert detect_exercise(submission("churn"), exercises, None).id == "churn"


def test_the_option_decides_where_there_is_no_marker(root: Path) -> None:
    exercises = two(list_exercises(root)[0])
    assert detect_exercise(submission(None), exercises, "churn").id == "churn"


def test_a_marker_that_contradicts_the_option_is_refused(root: Path) -> None:
    exercises = two(list_exercises(root)[0])
    with pytest.raises(UsageError, match="says exercise 'churn', but --exercise says 'imputation'"):
        detect_exercise(submission("churn"), exercises, "imputation")


@pytest.mark.parametrize(("marker", "option"), [("imputatio", None), (None, "imputatio")])
def test_an_unknown_exercise_gets_a_suggestion(
    root: Path, marker: str | None, option: str | None
) -> None:
    with pytest.raises(UsageError, match="did you mean 'imputation'"):
        detect_exercise(submission(marker), list_exercises(root), option)
