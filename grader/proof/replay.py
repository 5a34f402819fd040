"""A run's verdicts and score recomputed from its transcript, without the candidate's code."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import PlatformError, ReplayMismatch, UsageError
from grader.exercise.contract import load_exercise, project_root
from grader.exercise.suite import load_suite
from grader.record.seeds import commitment
from grader.record.transcript import read_meta, read_transcript
from grader.report import report_json
from grader.sandbox.replayer import Replayer
from grader.scoring.evidence import collected_tests, evidence_of
from grader.scoring.score import score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.models import Evidence
    from grader.sandbox.engine import Engine

__all__ = ["replay"]


def replay(
    folder: str | Path, *, root: Path | None = None, replayer: Replayer | None = None
) -> tuple[Evidence, ...]:
    """Recompute a run's verdicts and score from its transcript, without the candidate's code.

    Args:
        folder: a results folder.
        root: the checkout with the hidden tests of the run.
        replayer: reused for several replays; by default this one gets a container of its own.

    Returns:
        The evidence, equal to the recorded one.

    Raises:
        ReplayMismatch: other questions, verdicts or another score than in the recorded run, or the
            report is of another run than the transcript.
        UsageError: not a results folder, or the hidden tests are not those of the run.
    """
    root = root or project_root()
    folder = Path(folder)
    recorded = report_json.read_report(folder / "report.json")
    meta = read_meta(folder / "transcript.gz")
    exercise = load_exercise(str(meta["exercise"]), root=root)
    suite = load_suite(exercise.hidden_dir)
    if suite.digest != meta["suite"]:
        raise UsageError(
            f"the run used hidden tests {str(meta['suite'])[:12]}, {exercise.hidden_dir} holds "
            f"{suite.digest[:12]}; check out the version that the run was made with"
        )
    _check_of_one_run(recorded, meta)
    told = ("seed", "call_ms", "load_ms", "charge", "charged")
    config = {key: meta[key] for key in told if key in meta}
    with contextlib.ExitStack() as stack:
        bench = replayer or stack.enter_context(Replayer())
        image = _judge_image(bench.engine, str(meta["judge_image"]))
        recording = read_transcript(folder / "transcript.gz")
        record = bench.run(image, suite, recording, exercise, config=config)
    evidence = evidence_of(collected_tests(record.tests), record.evidence)
    again = report_json.stable_evidence(evidence)
    if again != recorded["evidence"]:
        raise ReplayMismatch(_first_difference(again, recorded["evidence"]))
    card = score(evidence, exercise.rubric, exercise.expectation)
    block = json.loads(json.dumps(report_json.score_block(card, exercise.expectation)))
    if other := _departure(block, recorded["score"], "score"):
        changed = exercise.scoring_digest != recorded["run"]["scoring_digest"]
        why = "; rubric, expectations or task sheet are not those of the run" if changed else ""
        raise ReplayMismatch(f"the evidence is the recorded one, but the report's {other}{why}")
    return evidence


def _check_of_one_run(recorded: Mapping[str, Any], meta: Mapping[str, object]) -> None:
    """Hold that a report is of the very run that a transcript is of."""
    if commitment(str(meta["seed"])) != recorded["run"]["seed_commitment"]:
        raise ReplayMismatch("the transcript's seed is not the one that the report commits to")
    stated = {
        "run": recorded["volatile"]["run_id"],
        "submission": recorded["submission"]["digest"],
        "exercise": recorded["exercise"]["id"],
        "exercise_version": recorded["exercise"]["version"],
        "suite": recorded["run"]["suite_digest"],
        "judge_image": recorded["run"]["judge_image"],
    }
    if odd := [name for name, value in stated.items() if meta[name] != value]:
        raise ReplayMismatch(f"the report is not of the transcript's run: other {', '.join(odd)}")


def _departure(again: object, recorded: object, place: str) -> str:
    """The first place where a value is not the recorded one, and both; empty where none is."""
    if isinstance(again, dict) and isinstance(recorded, dict):
        pairs = [(key, again.get(key), recorded.get(key)) for key in {**again, **recorded}]
    elif isinstance(again, list) and isinstance(recorded, list) and len(again) == len(recorded):
        pairs = [(_label(new, n), new, recorded[n]) for n, new in enumerate(again)]
    elif isinstance(again, float) and isinstance(recorded, float | int):
        same = math.isclose(again, recorded, rel_tol=0.0, abs_tol=1e-9)  # another Python's sums
        return "" if same else f"{place} is {recorded} and not {again}"
    else:
        return "" if again == recorded else f"{place} is {recorded!r:.80} and not {again!r:.80}"
    told = (_departure(new, old, f"{place}.{key}") for key, new, old in pairs)
    return next((departure for departure in told if departure), "")


def _label(value: object, number: int) -> str:
    """What a place in a list is called: by the id of what is there, if it has one."""
    name = value.get("id") if isinstance(value, dict) else None
    return name if isinstance(name, str) else str(number)


def _judge_image(engine: Engine, image: str) -> str:
    if engine.image_id(image) is None:
        raise PlatformError(
            f"the judge image of that run, {image[:19]}…, is gone from this engine; "
            "a replay needs the very image"
        )
    return image


def _first_difference(again: Sequence[object], recorded: Sequence[object]) -> str:
    for new, old in zip(again, recorded, strict=False):
        if new != old:
            name = old.get("id") if isinstance(old, dict) else "?"
            return f"the replay's verdict of {name} differs from the recorded one"
    return f"the replay has {len(again)} verdicts, the report {len(recorded)}"
