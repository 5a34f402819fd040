"""What an exercise ships agrees with itself. No Docker."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PUBLIC = ROOT / "exercises" / "imputation"
STARTER = PUBLIC / "starter"
HIDDEN = ROOT / "hidden_tests" / "imputation"
SOLUTIONS = HIDDEN / "solutions"


def _run_sample_tests(folder: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode


def _started(tmp_path: Path, solution: str) -> Path:
    for path in (p for p in STARTER.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        target = tmp_path / path.relative_to(STARTER)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (tmp_path / "solution.py").write_text(solution)
    return tmp_path


def test_the_starter_holds_the_task_sheet() -> None:
    assert (STARTER / "README.md").read_bytes() == (PUBLIC / "README.md").read_bytes()


def test_the_starter_pins_what_the_sandbox_has() -> None:
    pinned = dict(
        re.findall(r"^(\w[\w-]*)==(\S+)", (STARTER / "requirements.txt").read_text(), re.MULTILINE)
    )
    have = "".join(
        (ROOT / "requirements" / name).read_text() for name in ("sandbox.txt", "judge.txt")
    )

    for name, version in pinned.items():
        assert f"\n{name}=={version} " in have, name


def test_data_is_what_the_script_writes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_data", PUBLIC / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.OUT = tmp_path

    script.main()

    for path in tmp_path.iterdir():
        assert path.read_bytes() == (STARTER / "data" / path.name).read_bytes()


@pytest.mark.parametrize("case", ["reference", "correct_verbose_junior"])
def test_sample_tests_pass_on_a_solution(tmp_path: Path, case: str) -> None:
    folder = _started(tmp_path, (SOLUTIONS / case / "solution.py").read_text())

    assert _run_sample_tests(folder) == 0


def test_sample_tests_fail_on_the_starter(tmp_path: Path) -> None:
    folder = _started(tmp_path, (STARTER / "solution.py").read_text())

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


def test_every_labelled_solution_is_in_the_table_of_defects() -> None:
    table = (HIDDEN / "DEFECTS.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))

    assert rows == {path.name for path in SOLUTIONS.iterdir() if path.is_dir()}
