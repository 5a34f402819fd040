"""Gradescope's ``results.json``.

What candidates see there is their feedback and nothing else: a test for each category, shown once
grades are published. Every hidden check is a test that only staff sees. The only points are the
overall score, out of 4, which Gradescope keeps from candidates as long as any test is hidden.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grader.models import Status
from grader.report.feedback import feedback
from grader.scoring.final import beside, is_decided
from grader.text import clip, for_json, for_terminal

if TYPE_CHECKING:
    from grader.models import Evidence
    from grader.report.dossier import Dossier
    from grader.report.model import Report
    from grader.scores import CategoryScore

__all__ = ["gradescope", "results"]

_MESSAGE_CHARS = 2000
_Json = dict[str, Any]


def gradescope(dossier: Dossier) -> bytes:
    """``results.json`` of one run."""
    return (json.dumps(results(dossier), indent=2, allow_nan=False) + "\n").encode("ascii")


def results(dossier: Dossier) -> _Json:
    """The same as JSON values."""
    report = dossier.report
    card = report.scorecard
    levels = [_category(category) for category in card.categories if category.assessed]
    checks = [_check(record) for record in report.evidence]
    return {
        "score": round(card.overall, 4),
        "output": for_json(feedback(report)),
        "output_format": "md",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "extra_data": {
            "exercise": report.exercise_id,
            "exercise_version": report.exercise_version,
            "submission_digest": report.submission_digest,
            "suite_digest": report.run.suite_digest,
            "scoring_digest": report.run.scoring_digest,
            "band": card.band.value,
            "seniority": card.seniority,
            **_decided(report),
        },
        "tests": [*levels, *checks],
    }


def _decided(report: Report) -> _Json:
    """Which scorecard counts, and the machine's where that is another."""
    if report.machine is None:
        return {}
    return {
        "counts": "reviewer" if is_decided(report.scorecard) else "machine",
        "machine_score": round(report.machine.overall, 4),
        "machine_band": report.machine.band.value,
        "machine_levels": {
            c.id: c.level.name.lower() for c in report.machine.categories if c.assessed
        },
    }


def _category(category: CategoryScore) -> _Json:
    provisional = " (until a reviewer confirms it)" if category.provisional else ""
    if told := beside(category, named=False):
        provisional = f" ({told})"
    return {
        "name": category.title,
        "output": f"{category.level.name.capitalize()}{provisional}",
        "visibility": "after_published",
        "tags": ["level"],
    }


def _check(record: Evidence) -> _Json:
    passed = record.status is Status.PASSED
    message = for_terminal(clip(record.message, _MESSAGE_CHARS), lines=True)
    where = f"\nat {for_terminal(record.where)}" if record.where else ""
    return {
        "name": for_json(record.test.title or record.test.id),
        "status": "passed" if passed else "failed",
        "output": "" if passed else for_json(f"{record.cause.value}: {message}{where}"),
        "visibility": "hidden",
        "tags": [record.test.criterion],
        "extra_data": {"id": record.test.id},
    }
