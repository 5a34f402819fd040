"""A score is a function of hidden tests, seed and transcript: anyone can recompute it."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import pipeline
from grader.authoring import labelled
from grader.errors import ReplayMismatch, UsageError
from grader.proof.replay import replay
from grader.report import report_json
from grader.wire.codec import encode
from tests.sandbox.probe import HONEST, PROJECT, probe

if TYPE_CHECKING:
    from grader.sandbox.workbench import Workbench, Worker
    from tests.sandbox.probe import Probed

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parent.parent.parent
DEFECTIVE = HONEST.replace("2 * x", "3 * x") + "\n\ndef fill(df):\n    import os; os._exit(3)\n"


@pytest.fixture(scope="module")
def recorded(worker: Worker, bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Probed:
    """A run with passed, wrong and dead tests."""
    return probe(worker, bench, DEFECTIVE, tmp_path_factory.mktemp("recorded"))


def copy_of(recorded: Probed, tmp_path: Path) -> Path:
    """A results folder that a test may change."""
    return shutil.copytree(recorded.folder, tmp_path / "run")


def test_replay_reaches_the_recorded_verdicts(recorded: Probed) -> None:
    evidence = replay(recorded.folder, root=PROJECT)
    assert [item.cause for item in evidence] == [item.cause for item in recorded.report.evidence]


@pytest.mark.parametrize("exercise", labelled.exercises(ROOT))
def test_every_exercise_asks_the_same_again(
    worker: Worker, bench: Workbench, exercise: str, tmp_path: Path
) -> None:
    (case,) = (c for c in labelled.load_cases(exercise, ROOT) if c.name == "reference")
    submission = labelled.stage(case, tmp_path)
    grading = pipeline.prepare(submission, root=ROOT, exercise=exercise, seed="ab" * 16)
    graded = pipeline.run(worker, bench, grading, out=tmp_path / "results")
    evidence = replay(graded.folder, root=ROOT)
    assert [item.status for item in evidence] == [item.status for item in graded.report.evidence]


def test_changed_verdict_in_the_report_is_found(recorded: Probed, tmp_path: Path) -> None:
    folder = copy_of(recorded, tmp_path)
    report = json.loads((folder / "report.json").read_text())
    failed = next(item for item in report["evidence"] if item["status"] == "failed")
    failed.update(status="passed", cause="none", message="")
    (folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(ReplayMismatch, match=failed["id"]):
        replay(folder, root=PROJECT)


def test_changed_answer_in_the_transcript_is_found(recorded: Probed, tmp_path: Path) -> None:
    folder = copy_of(recorded, tmp_path)
    path = folder / "transcript.gz"
    data = gzip.decompress(path.read_bytes())
    # 3 * 21 becomes 2 * 21: the verdict changes with the answer
    wrong, right = encode(("value", 63)), encode(("value", 42))
    assert wrong in data
    changed = data.replace(wrong, right, 1)
    path.write_bytes(gzip.compress(changed))
    with pytest.raises(ReplayMismatch):
        replay(folder, root=PROJECT)


def test_cut_transcript_is_found(recorded: Probed, tmp_path: Path) -> None:
    folder = copy_of(recorded, tmp_path)
    path = folder / "transcript.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ReplayMismatch, match=r"cut short|damaged|ends in the middle"):
        replay(folder, root=PROJECT)


def test_other_seed_is_found(recorded: Probed, tmp_path: Path) -> None:
    folder = copy_of(recorded, tmp_path)
    path = folder / "transcript.gz"
    head, _, rest = gzip.decompress(path.read_bytes()).partition(b"\n")
    meta = json.loads(head)
    meta["seed"] = "0" * 32
    path.write_bytes(gzip.compress(json.dumps(meta).encode() + b"\n" + rest))
    with pytest.raises(ReplayMismatch, match="seed"):
        replay(folder, root=PROJECT)


def test_other_hidden_tests_are_named(recorded: Probed, tmp_path: Path) -> None:
    project = shutil.copytree(PROJECT, tmp_path / "project", symlinks=False)
    suite = project / "hidden_tests/probe/test_probe.py"
    suite.write_text(suite.read_text() + "\n# changed\n")
    with pytest.raises(UsageError, match="hidden tests"):
        replay(recorded.folder, root=project)


def test_two_runs_give_one_report(
    recorded: Probed, worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    again = probe(worker, bench, DEFECTIVE, tmp_path)
    first, second = (
        report_json.stable_bytes(report_json.build_report(item.report))
        for item in (recorded, again)
    )
    assert first == second
