"""A team's own repository: what grade init writes, and how commands find it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import grader
from grader.commands import init, list_, new
from grader.errors import UsageError
from grader.exercise.contract import list_exercises, project_root, requirements_of
from grader.scorecard.read import load_scorecards

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def team(tmp_path: Path) -> Path:
    assert init.run([str(tmp_path / "team")]) == 0
    return tmp_path / "team"


def test_a_team_gets_its_folders_and_no_seed(team: Path) -> None:
    files = sorted(p.relative_to(team).as_posix() for p in team.rglob("*") if p.is_file())
    found = [name for name in files if not name.startswith("scorecards/")]
    assert found == [
        ".github/workflows/verify.yml",
        ".gitignore",
        "README.md",
        "exercises/.gitkeep",
        "grade.toml",
        "hidden_tests/.gitkeep",
    ]
    assert ".grader-seed" in (team / ".gitignore").read_text().splitlines()


def test_a_team_gets_the_scorecards_to_change_them(team: Path) -> None:
    assert list(load_scorecards(team)) == list(load_scorecards(ROOT))


def test_it_names_this_version_throughout(team: Path) -> None:
    assert f'version = "{grader.__version__}"' in (team / "grade.toml").read_text()
    assert f"takehome-grader[author]=={grader.__version__}" in (team / "README.md").read_text()
    workflow = yaml.safe_load((team / ".github/workflows/verify.yml").read_text())
    commands = [step.get("run", "") for step in workflow["jobs"]["verify"]["steps"]]
    assert f'pip install "takehome-grader[author]=={grader.__version__}"' in commands


def test_commands_find_it_from_a_folder_below(team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(team / "exercises")
    assert project_root() == team


def test_elsewhere_they_find_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_root() == ROOT


def test_an_exercise_of_it_has_the_packages_that_the_grader_pins(
    team: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(team)
    assert new.run(["our_first"]) == 0
    (exercise,) = list_exercises(team)
    assert exercise.packages == list_exercises(ROOT)[0].packages
    assert requirements_of(team) == ROOT / "requirements"


def test_another_version_warns(
    team: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team)
    new.run(["our_first"])
    (team / "grade.toml").write_text('version = "0.0.1"\n')
    capsys.readouterr()
    assert list_.run([]) == 0
    told = capsys.readouterr().err
    assert f"is for version 0.0.1 of the grader, and this is {grader.__version__}" in told


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(UsageError, match="is there and not empty; name a new folder"):
        init.run([str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
