"""A results folder as a run leaves it, without a sandbox; and a replay of it without a judge."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from grader import pipeline
from grader.record.transcript import TranscriptWriter
from grader.sandbox.relay import RunRecord

if TYPE_CHECKING:
    from grader.record.transcript import Recording
    from grader.sandbox.replayer import Replayer

ROOT = Path(__file__).resolve().parents[2]
SEED = "0" * 31 + "1"
IMAGE = "sha256:" + "1" * 64
CRITERIA = (
    *("runs", "core", "edge", "leak", "hygiene", "clarity_lint", "clarity_structure"),
    *("clarity_docs", "proficiency_idiom", "proficiency_typing", "proficiency_vectors"),
    "solving_scale",
)


def records() -> RunRecord:
    """One test a criterion of the exercise; one of them failed."""
    tests: list[dict[str, object]] = [
        {"id": f"test_a.py::test_{name}", "criterion": name, "title": name, "hint": f"See {name}."}
        for name in CRITERIA
    ]
    evidence: list[dict[str, object]] = [
        {
            "id": test["id"],
            "status": "failed" if test["criterion"] == "edge" else "passed",
            "cause": "wrong-value" if test["criterion"] == "edge" else "none",
            "message": "expected 1, got 2" if test["criterion"] == "edge" else "",
            "where": "",
            "calls": 1,
            "measurements": [],
            "wall_ns": 1000,
        }
        for test in tests
    ]
    return RunRecord(tests, evidence, page="<html></html>\n")


class _Worker:
    def run(self, *_: object, transcript: Path, meta: dict[str, object], **__: object) -> RunRecord:
        with TranscriptWriter(transcript, meta):
            return records()


def finished_run(tmp_path: Path) -> Path:
    """A run of the exercise `imputation`; its folder."""
    source = tmp_path / "ann.py"
    source.write_text("x = 1\n")
    grading = pipeline.prepare(source, root=ROOT, exercise="imputation", seed=SEED)
    facts = SimpleNamespace(product="Docker", version="1", runtime="runc", runtime_version="1")
    images = SimpleNamespace(judge=IMAGE, candidate=IMAGE, analyst=IMAGE)
    bench = SimpleNamespace(images_for=lambda _: images, engine=SimpleNamespace(facts=facts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "warnings_of", lambda _: ())
        worker = cast("Any", _Worker())
        return pipeline.run(worker, cast("Any", bench), grading, out=tmp_path / "out").folder


class _Replayer:
    engine = SimpleNamespace(image_id=lambda image: image)

    def run(
        self, image: str, suite: object, recording: Recording, *_: object, **__: object
    ) -> RunRecord:
        del image, suite
        recording.finish()
        return records()


def replayer() -> Replayer:
    """Gives the recorded verdicts again, whatever it is asked."""
    return cast("Replayer", _Replayer())
