"""The wheel in an environment of its own grades in a folder that knows no checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker
ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    *("grader", "scripts", "scorecards", "requirements", "pyproject.toml", "setup.py"),
    *("MANIFEST.in", "Dockerfile", "environment.Dockerfile", "README.md", "LICENSE"),
)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program without anything of this checkout in its environment."""
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def grade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program ``grade`` of a wheel that was built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for part in PARTS:
        path = ROOT / part
        if path.is_dir():
            shutil.copytree(path, source / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / part)
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", *build, source, cwd=folder)
    shutil.rmtree(source)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    pins = ROOT / "requirements" / "host.txt"
    run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", pins, cwd=folder)
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=folder)
    return folder / "env" / "bin" / "grade"


def test_it_grades_an_exercise_of_a_teams_own(grade: Path, tmp_path: Path) -> None:
    run(grade, "init", "team", cwd=tmp_path)
    team = tmp_path / "team"
    run(grade, "new", "our_first", cwd=team)
    told = run(grade, "--json", "hidden_tests/our_first/solutions/reference", cwd=team)
    report = json.loads(told)
    assert (report["score"]["overall"], report["score"]["band"]) == (4.0, "exceeds")
    assert (team / "hidden_tests" / ".grader-seed").is_file()


def test_it_carries_what_the_images_are_made_from(grade: Path, tmp_path: Path) -> None:
    program = "from grader.files import recipe_folder; print(recipe_folder())"
    recipe = Path(run(grade.parent / "python", "-c", program, cwd=tmp_path).strip())
    assert recipe.name == "recipe"
    names = ["Dockerfile", "environment.Dockerfile", "scripts/strip.sh", "requirements/sandbox.txt"]
    assert [(recipe / name).read_bytes() for name in names] == [
        (ROOT / name).read_bytes() for name in names
    ]
