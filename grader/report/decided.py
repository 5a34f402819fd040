"""A report with what people decided over the machine's levels; ``report.json`` stays as it is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING

from grader.decisions.final import final_card
from grader.report.report_json import stable_evidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.decisions.events import Event
    from grader.models import Exercise
    from grader.report.model import Report

__all__ = ["decided", "run_digest", "weights_of"]


def run_digest(report: Report) -> str:
    """What a decision is about: SHA-256, hex, over submission, suite, seed and evidence.

    Times, images and the machine do not belong to it: a run that comes to the same evidence about
    the same files is the same run.
    """
    content = {
        "exercise": [report.exercise_id, report.exercise_version],
        "submission": report.submission_digest,
        "suite": report.run.suite_digest,
        "seed": report.run.seed_commitment,
        "evidence": stable_evidence(report.evidence),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def weights_of(exercise: Exercise | None) -> dict[str, float] | None:
    """The rubric's weight of each category; None without an exercise."""
    return None if exercise is None else {c.id: c.weight for c in exercise.rubric.categories}


def decided(
    report: Report,
    decisions: Mapping[str, Sequence[Event]],
    exercise: Exercise | None,
    run: str = "",
) -> Report:
    """The report with the levels that count; the machine's scorecard is kept beside them.

    Args:
        report: the machine's.
        decisions: category → decisions on this case that were not withdrawn, in order.
        exercise: gives the weights of categories that a person made firm; None keeps those of the
            report.
        run: its `run_digest`, where that is known already.
    """
    if not any(decisions.values()):
        return report
    card = final_card(
        report.scorecard,
        decisions,
        report.evidence,
        report.expectation,
        run=run or run_digest(report),
        scoring=report.run.scoring_digest,
        weights=weights_of(exercise),
    )
    return dataclasses.replace(report, scorecard=card, machine=report.scorecard)
