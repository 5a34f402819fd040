"""What an exercise ships agrees with itself. No Docker."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent.parent
EXERCISES = (
    "imputation",
    "inference_pipeline",
    "leakage_debug",
    "predict_service",
    "drift_monitor",
)
DATA_SCRIPTS = {
    "imputation": "exercises/imputation/make_data.py",
    "leakage_debug": "hidden_tests/leakage_debug/data.py",  # the judge draws from the same world
}
STYLE = {"predict_service": "correct_threads_lock", "drift_monitor": "correct_psi"}
COMPLETE = [
    (exercise, case)
    for exercise in EXERCISES
    for case in ("reference", STYLE.get(exercise, "correct_verbose_junior"))
]


def _starter(exercise: str) -> Path:
    return ROOT / "exercises" / exercise / "starter"


def _solutions(exercise: str) -> Path:
    return ROOT / "hidden_tests" / exercise / "solutions"


def _run_sample_tests(folder: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode


def _started(tmp_path: Path, starter: Path, solution: Path) -> Path:
    for path in (p for p in starter.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        target = tmp_path / path.relative_to(starter)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (tmp_path / "solution.py").write_text(solution.read_text())
    return tmp_path


def load_script(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, script)  # its data classes look themselves up
    spec.loader.exec_module(script)
    return script


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_starter_holds_the_task_sheet(exercise: str) -> None:
    sheet = ROOT / "exercises" / exercise / "README.md"
    assert (_starter(exercise) / "README.md").read_bytes() == sheet.read_bytes()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_starter_pins_what_the_sandbox_has(exercise: str) -> None:
    text = (_starter(exercise) / "requirements.txt").read_text()
    pinned = dict(re.findall(r"^(\w[\w-]*)==(\S+)", text, re.MULTILINE))
    files = [ROOT / "requirements" / name for name in ("sandbox.txt", "judge.txt")]
    files += (ROOT / "exercises" / exercise).glob("requirements.lock")
    have = "".join(f"\n{path.read_text()}" for path in files)

    assert pinned
    for name, version in pinned.items():
        assert f"\n{name}=={version} " in have, name


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_starter_says_which_exercise_it_is(exercise: str) -> None:
    marker = (_starter(exercise) / "assessment.toml").read_text()
    contract = (ROOT / "exercises" / exercise / "exercise.toml").read_text()
    version = re.search(r'^version = "(.+)"', contract, re.MULTILINE)

    assert version is not None
    assert f'exercise = "{exercise}"\nversion = "{version[1]}"' in marker


@pytest.mark.parametrize("exercise", DATA_SCRIPTS)
def test_data_is_what_the_script_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exercise: str
) -> None:
    script = load_script(ROOT / DATA_SCRIPTS[exercise], monkeypatch)
    script.OUT = tmp_path

    script.main()

    for path in tmp_path.iterdir():
        assert path.read_bytes() == (_starter(exercise) / "data" / path.name).read_bytes()


@pytest.mark.parametrize(("exercise", "case"), COMPLETE)
def test_sample_tests_pass_on_a_solution(tmp_path: Path, exercise: str, case: str) -> None:
    solution = _solutions(exercise) / case / "solution.py"
    folder = _started(tmp_path, _starter(exercise), solution)

    assert _run_sample_tests(folder) == 0


@pytest.mark.parametrize("exercise", EXERCISES)
def test_sample_tests_fail_on_the_starter(tmp_path: Path, exercise: str) -> None:
    folder = _started(tmp_path, _starter(exercise), _starter(exercise) / "solution.py")

    assert _run_sample_tests(folder) == 1


def test_packed_examples_hold_candidate_files_only(tmp_path: Path) -> None:
    for name in ("first", "second"):
        command = [sys.executable, str(ROOT / "scripts" / "pack_examples.py"), str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True)

    for case in ("reference", "mediocre", "poor"):
        archive = tmp_path / "first" / f"{case}.zip"
        names = zipfile.ZipFile(archive).namelist()
        assert {"solution.py", "assessment.toml"} <= set(names)
        assert not [name for name in names if "expected" in name]
        assert archive.read_bytes() == (tmp_path / "second" / f"{case}.zip").read_bytes()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_labelled_solution_is_in_the_table_of_defects(exercise: str) -> None:
    table = (ROOT / "hidden_tests" / exercise / "DEFECTS.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))

    assert rows == {path.name for path in _solutions(exercise).iterdir() if path.is_dir()}
