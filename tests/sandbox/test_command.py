"""The command as its users type it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from grader.report import report_json
from tests.sandbox.probe import HONEST, PROJECT, SEED

if TYPE_CHECKING:
    from pathlib import Path

    from grader.sandbox.workbench import Workbench

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


def grade(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with plain output."""
    return subprocess.run(
        [sys.executable, "-m", "grader", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **environment},
    )


OPTIONS = ("--root", PROJECT, "--seed", SEED)


@pytest.fixture
def box(tmp_path: Path, bench: Workbench) -> Path:
    """A folder with a good zip, a bad zip, a text file and a weak solution."""
    del bench
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        archive.writestr("work/solution.py", HONEST)
        archive.writestr("work/README.md", "Hello")
    with zipfile.ZipFile(tmp_path / "climbs.zip", "w") as archive:
        archive.writestr("../solution.py", HONEST)
    (tmp_path / "notes.zip").write_text("this is no archive")
    (tmp_path / "weak").mkdir()
    (tmp_path / "weak/solution.py").write_text("def double(x):\n    return 0\n")
    return tmp_path


def test_scorecard_names_level_evidence_and_results(box: Path) -> None:
    done = grade("good.zip", *OPTIONS, cwd=box)
    assert done.returncode == 0, done.stderr
    assert "4.00 of 4" in done.stdout
    assert "Excellent" in done.stdout
    assert "Full report: results/good-" in done.stdout


def test_one_rejected_submission_does_not_stop_the_others(box: Path) -> None:
    done = grade("good.zip", "climbs.zip", "notes.zip", "weak", *OPTIONS, "--quiet", cwd=box)
    assert done.returncode == 4
    words = [line.split()[:2] for line in done.stdout.splitlines() if line.strip()]
    assert words[:2] == [["good", "4.00"], ["weak", "1.00"]]
    assert words[2] == ["Submission", "Digest"]  # the table of several
    assert "climbs.zip: rejected (bad-name)" in done.stderr
    assert "notes.zip: rejected (not-an-archive)" in done.stderr


def test_json_is_a_valid_report(box: Path) -> None:
    done = grade("good.zip", *OPTIONS, "--json", cwd=box)
    report = json.loads(done.stdout)
    report_json.validate(report)
    assert report["score"]["overall"] == 4.0


def test_several_reports_are_one_json_line_each(box: Path) -> None:
    done = grade("good.zip", "weak", *OPTIONS, "--json", "--jobs", "2", cwd=box)
    overall = [json.loads(line)["score"]["overall"] for line in done.stdout.splitlines()]
    assert overall == [4.0, 1.0]


@pytest.mark.parametrize(("threshold", "code"), [("1.5", 1), ("1.0", 0)])
def test_fail_under(box: Path, threshold: str, code: int) -> None:
    done = grade("weak", *OPTIONS, "--quiet", "--fail-under", threshold, cwd=box)
    assert done.returncode == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.zip"], "there is no nothing.zip"),
        (["good.zip", "--exercise", "prob"], "did you mean 'probe'"),
        (["good.zip", "--seed", "7"], "32 hexadecimal digits"),
        (["good.zip", "--fail-under", "5"], "no score between 1 and 4"),
        ([], "SUBMISSION"),
    ],
)
def test_wrong_usage_says_how_to_call_it(box: Path, arguments: list[str], words: str) -> None:
    options = ("--root", PROJECT, *(() if "--seed" in arguments else ("--seed", SEED)))
    done = grade(*arguments, *options, cwd=box)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_rejection_names_the_entry_and_the_fix(box: Path) -> None:
    done = grade("climbs.zip", *OPTIONS, cwd=box)
    assert done.returncode == 4
    assert "rejected (bad-name)" in done.stderr
    assert "../solution.py" in done.stderr
    assert not (box / "results").exists()


def test_missing_engine_is_a_platform_failure_with_its_fix(box: Path) -> None:
    done = grade("good.zip", *OPTIONS, cwd=box, DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 3
    assert "no container engine answers" in done.stderr
    assert "systemctl start docker" in done.stderr
    assert "Traceback" not in done.stderr


def test_list_names_the_exercises(box: Path) -> None:
    done = grade("list", "--root", PROJECT, cwd=box)
    assert done.stdout.split()[:2] == ["probe", "1.0"]


def test_doctor_looks_at_everything(box: Path) -> None:
    done = grade("doctor", "--root", PROJECT, cwd=box)
    assert done.returncode == 0, done.stdout
    for name in ("engine", "runtime", "cgroups", "seccomp", "AppArmor", "user namespaces"):
        assert f"{name}:" in done.stdout
    assert "every setting as asked" in done.stdout


def test_replay_of_the_command_line(box: Path) -> None:
    grade("weak", *OPTIONS, "--quiet", cwd=box)
    folder = next((box / "results").iterdir())
    done = grade("replay", folder, "--root", PROJECT, cwd=box)
    assert done.returncode == 0, done.stderr
    assert "every verdict and the score as recorded" in done.stdout
