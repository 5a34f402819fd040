"""Runs in the sandbox whose results go out: the action's steps, feedback, collections, reports."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import pipeline
from grader.commands import collect, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from actions import ROOT, Job, fake_gh, repository

if TYPE_CHECKING:
    from grader.sandbox.workbench import Workbench, Worker

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]
PROJECT = ROOT / "tests" / "sandbox" / "project"
HONEST = (PROJECT / "honest.py").read_text()
SEED = "1" * 32
SHOUTS = HONEST + (
    "\nimport os, sys\n"
    "for stream in (sys.stdout, sys.stderr):\n"
    "    print('\\n::error::pwned\\n::set-output name=score::4\\n##[error]pwned', file=stream)\n"
    "for name in ('GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_STEP_SUMMARY'):\n"
    "    if name in os.environ:\n"
    "        open(os.environ[name], 'a').write('score=4.00\\n')\n"
    "def refuse(x):\n    raise TypeError('\\n::error::pwned\\n::add-mask::core')\n"
)


def acting(log: str) -> list[str]:
    """Lines that a runner would act on: all commands outside stop-commands."""
    found, token = [], None
    for line in log.splitlines():
        if token is not None:
            token = None if line == f"::{token}::" else token
        elif match := re.fullmatch(r"::stop-commands::(\w+)", line):
            token = match[1]
        elif line.lstrip().startswith(("::", "##[")):
            found.append(line)
    assert token is None
    return found


def test_the_actions_steps_grade_a_commit_and_publish_what_may_be_known(
    bench: Workbench, tmp_path: Path
) -> None:
    del bench
    files = {"solution.py": SHOUTS, "assessment.toml": 'exercise = "probe"\nversion = "1.0"\n'}
    commit = repository(tmp_path, files)
    inputs = {
        "repository": "org/hw-ann", "commit": commit, "token": "t", "publish": "status",
        "root": str(PROJECT), "seed": SEED,
    }  # fmt: skip
    job = Job(tmp_path, inputs, [fake_gh(tmp_path)])
    assert job.run("Fetch", "Grade", "Publish") == 0, job.log
    outputs = job.outputs["grade"]
    assert outputs["score"] == "3.00"
    assert set(outputs) == {"score", "band", "result", "digest", "results", "payloads"}
    commands = acting(job.log)
    assert [
        line for line in commands if not line.startswith("::notice title=Code correctness::")
    ] == []
    assert len(commands) == 1
    posted = json.loads((tmp_path / "posted.json").read_text())
    assert posted["description"] == "Code correctness: Strong"
    summary = job.summary.read_text()
    assert "::error" not in summary.splitlines()
    assert "3.00 of 4" in summary


def test_the_action_tells_a_rejected_submission_from_a_broken_machine(
    bench: Workbench, tmp_path: Path
) -> None:
    del bench
    commit = repository(tmp_path, {"main.py": "x = 1\n"})
    inputs = {"repository": "o/r", "commit": commit, "token": "t", "publish": "status",
              "root": str(PROJECT), "exercise": "probe", "seed": SEED}  # fmt: skip
    job = Job(tmp_path, inputs, [fake_gh(tmp_path)])
    assert job.run("Fetch", "Grade", "Publish") == 0, job.log
    assert set(job.outputs["grade"]) == {"payloads"}
    assert acting(job.log) == [
        "::warning title=Rejected::The submission could not be read; the log says why"
    ]
    posted = json.loads((tmp_path / "posted.json").read_text())
    assert (posted["state"], posted["context"]) == ("error", "take-home")
    job.inputs["root"] = str(tmp_path / "nowhere")
    assert job.run("Fetch", "Grade") == 3


def test_feedback_of_a_run_holds_no_run_of_words_of_the_hidden_tests(
    worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    source = tmp_path / "solution.py"
    source.write_text("def double(x):\n    return 0\n")
    grading = pipeline.prepare(source, root=PROJECT, exercise="probe", seed=SEED)
    folder = pipeline.run(worker, bench, grading, out=tmp_path / "out").folder
    words: set[str] = set()
    for name, data in grading.suite.files.items():
        if name.endswith(".py"):
            found = re.findall(r"\w+", data.decode())
            words |= {" ".join(found[n : n + 4]) for n in range(len(found) - 3)}
    for name in ("feedback.md", "feedback.html"):
        shown = re.findall(
            r"\w+", re.sub(r"(?s)<style>.*?</style>", "", (folder / name).read_text())
        )
        assert not {" ".join(shown[n : n + 4]) for n in range(len(shown) - 3)} & words
    assert "test_a_value" in (folder / "report.html").read_text()


def test_reports_are_made_again_by_a_changed_rubric_without_an_engine(
    worker: Worker, bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    shutil.copytree(PROJECT, root)
    source = tmp_path / "solution.py"
    source.write_text(SHOUTS)
    grading = pipeline.prepare(source, root=root, exercise="probe", seed=SEED)
    graded = pipeline.run(worker, bench, grading, out=tmp_path / "out")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    page = (graded.folder / "report.html").read_bytes()
    again = [str(graded.folder), "--root", str(root)]
    assert report.run(again) == 0
    assert (graded.folder / "report.html").read_bytes() == page
    rubric = root / "hidden_tests" / "probe" / "rubric.toml"
    rubric.write_text(rubric.read_text().replace("core = 0.9", "core = 0.99"))
    target = tmp_path / "again.json"
    assert report.run([*again, "--format", "json", "--out", str(target)]) == 0
    score = json.loads(target.read_text())["score"]
    assert graded.report.scorecard.overall == 3.0
    assert score["overall"] == 2.0
    assert report.run([*again, "--format", "json", "--out", str(target), "--as-recorded"]) == 0
    assert json.loads(target.read_text())["score"]["overall"] == 3.0


def written_below(runs: Path) -> dict[Path, int]:
    """When each report was written."""
    return {path: path.stat().st_mtime_ns for path in runs.glob("*/report.json")}


def test_a_small_collection_is_graded_in_the_sandbox(bench: Workbench, tmp_path: Path) -> None:
    del bench
    folder, out = tmp_path / "hw-submissions", tmp_path / "out"
    for name, source in (("ann", HONEST), ("bob", SHOUTS), ("cy", HONEST)):
        (folder / f"hw-{name}").mkdir(parents=True)
        (folder / f"hw-{name}" / "solution.py").write_text(source)
    arguments = [str(folder), "--root", str(PROJECT), "--exercise", "probe", "--out", str(out)]
    assert collect.run([*arguments, "--seed", SEED, "--jobs", "2"]) == 0
    rows = list(csv.DictReader(io.StringIO((out / "collected.csv").read_text())))
    assert [(row["candidate"], row["score"]) for row in rows] == [
        ("ann", "4"),
        ("bob", "3"),
        ("cy", "4"),
    ]
    written = written_below(out / "runs")
    assert len(written) == 2
    assert collect.run([*arguments, "--seed", SEED]) == 0  # nothing is left to be graded
    assert written_below(out / "runs") == written
