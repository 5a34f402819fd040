"""The machine-readable report, ``report/2``, which every other format can be made from.

Everything that differs between two runs of the same submission is under the one key ``volatile``:
times, durations, the run's id, measurements of time, captured output and facts about the machine.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from grader.errors import JudgeError, PlatformError, UsageError
from grader.files import open_regular
from grader.report.document import SCHEMA, check
from grader.text import for_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.models import Evidence, Expectation, Measurement, Profile
    from grader.notebook.facts import NotebookFacts
    from grader.report.model import Report
    from grader.scores import CategoryScore, ScoreCard
    from grader.scoring.findings import Findings

__all__ = [
    "SCHEMA",
    "build_report",
    "read_report",
    "score_block",
    "stable_bytes",
    "stable_evidence",
    "validate",
    "write_report",
]

_Json = dict[str, Any]


def build_report(report: Report) -> _Json:
    """Turn a report into JSON values.

    Raises:
        JudgeError: the evidence is not one record for each collected test: the run is void.
    """
    ids = {record.test.id for record in report.evidence}
    if not len(ids) == len(report.evidence) == report.run.collected:
        raise JudgeError(
            f"{report.run.collected} hidden tests were collected, but {len(report.evidence)} "
            f"records of {len(ids)} tests came back: the run is void; grade it again"
        )
    return {
        "schema": SCHEMA,
        "exercise": {
            "id": report.exercise_id,
            "version": report.exercise_version,
            "title": report.exercise_title,
        },
        "submission": {
            "name": report.submission_name,
            "digest": report.submission_digest,
            "notes": [for_json(note) for note in report.submission_notes],
            "files": [asdict(file) for file in report.files],
        },
        "sheet": dict(report.sheet),
        "score": score_block(report.machine_card, report.expectation),  # never what people decided
        "evidence": stable_evidence(report.evidence),
        "findings": _findings(report.findings),
        "notebook": _notebook(report.notebook),
        "run": {
            "grader_version": report.run.grader_version,
            "suite_digest": report.run.suite_digest,
            "scoring_digest": report.run.scoring_digest,
            "seed_commitment": report.run.seed_commitment,
            "judge_image": report.run.judge_image,
            "candidate_image": report.run.candidate_image,
            "environment": asdict(report.run.environment),
            "limits": asdict(report.run.limits),
            "collected": report.run.collected,
            "judge_notes": [for_json(note) for note in report.run.judge_notes],
        },
        "volatile": _volatile(report),
    }


def score_block(card: ScoreCard, expectation: Expectation) -> _Json:
    """The score as a report has it: overall, band, and each category with what decided it."""
    return {
        "overall": card.overall,
        "band": card.band.value,
        "seniority": card.seniority,
        "meets": _profile(expectation.meets),
        "exceeds": _profile(expectation.exceeds),
        "headline": list(expectation.headline),
        "missed": list(card.missed),
        "categories": [_category(category) for category in card.categories],
    }


def _profile(profile: Profile) -> _Json:
    levels = {name: level.name.lower() for name, level in profile.levels.items()}
    return {"overall": profile.overall, "levels": levels}


def _category(category: CategoryScore) -> _Json:
    return {
        "id": category.id,
        "title": category.title,
        "assessed": category.assessed,
        "level": int(category.level) if category.assessed else None,
        "level_name": category.level.name.lower() if category.assessed else None,
        "weight": round(category.weight, 6),
        "provisional": category.provisional,
        "decided_by": category.decided_by,
        "criteria": [asdict(share) for share in category.criteria],
        "indicators": [
            {**asdict(indicator), "detail": for_json(indicator.detail)}
            for indicator in category.indicators
        ],
    }


def stable_evidence(evidence: Iterable[Evidence]) -> list[_Json]:
    """The evidence as a report has it, without what differs from run to run."""
    return [_evidence(record) for record in evidence]


def _evidence(record: Evidence) -> _Json:
    return {
        "id": record.test.id,
        "criterion": record.test.criterion,
        "title": record.test.title,
        "hint": record.test.hint,
        "line": record.test.line,
        "status": record.status.value,
        "cause": record.cause.value,
        "message": for_json(record.message),
        "where": for_json(record.where),
        "calls": record.calls,
        "measurements": [_measurement(m) for m in record.measurements if not m.volatile],
        "remarks": list(record.remarks),
    }


def _findings(findings: Findings | None) -> _Json | None:
    if findings is None:
        return None
    return {
        "file": findings.file,
        "text": None if findings.text is None else for_json(findings.text),
        "claims": [
            {
                "criterion": claim.criterion,
                "title": claim.title,
                "passed": claim.passed,
                "lines": [{"line": n, "text": for_json(text)} for n, text in claim.lines],
                "facts": list(claim.facts),
            }
            for claim in findings.claims
        ],
        "notes": [
            {"path": note.path, "line": note.line, "text": for_json(note.text)}
            for note in findings.notes
        ],
    }


def _notebook(facts: NotebookFacts | None) -> _Json | None:
    if facts is None:
        return None
    return {
        "path": facts.path,
        "code_cells": facts.code_cells,
        "text_cells": facts.text_cells,
        "errors": [
            {
                "cell": error.number,
                "line": error.line,
                "type": for_json(error.type),
                "message": for_json(error.message),
                "source": for_json(error.source),
            }
            for error in facts.errors
        ],
        "stopped": facts.stopped,
        "differences": [
            {"cell": d.number, "stored": for_json(d.stored), "fresh": for_json(d.fresh)}
            for d in facts.differences
        ],
        "figures": facts.figures,
        "page": facts.page,
    }


def _measurement(measurement: Measurement) -> _Json:
    return {
        "name": measurement.name,
        "value": _finite(measurement.value),
        "unit": measurement.unit,
        "threshold": _finite(measurement.threshold),
        "better": measurement.better,
    }


def _finite(value: float | None) -> float | None:
    """JSON has no NaN and no infinity; such a figure is null."""
    return value if value is not None and math.isfinite(value) else None


def _volatile(report: Report) -> _Json:
    moment = report.moment
    return {
        "run_id": moment.run_id,
        "started": moment.started,
        "timings": {step: round(seconds, 3) for step, seconds in moment.timings.items()},
        "tests": [
            {
                "test_id": record.test.id,
                "seconds": round(record.seconds, 3),
                "measurements": [_measurement(m) for m in record.measurements if m.volatile],
            }
            for record in report.evidence
        ],
        "output": [
            {
                "test_id": capture.test_id,
                "stdout": for_json(capture.stdout),
                "stderr": for_json(capture.stderr),
                "truncated": capture.truncated,
            }
            for capture in moment.captures
        ],
        "machine": {
            "engine": moment.engine,
            "runtime": moment.runtime,
            "warnings": [for_json(warning) for warning in moment.warnings],
        },
    }


def validate(report: _Json) -> None:
    """Check a report against `grader.report.document`.

    Raises:
        PlatformError: it does not conform, which is a defect of this program.
    """
    try:
        check(report)
    except msgspec.ValidationError as error:
        raise PlatformError(f"the report does not conform to {SCHEMA}: {error}") from error


def stable_bytes(report: _Json) -> bytes:
    """Canonical JSON of all that must not differ between two runs of the same submission."""
    stable = {key: value for key, value in report.items() if key != "volatile"}
    text = json.dumps(stable, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def write_report(path: Path, report: _Json) -> None:
    """Validate and write a report; a reader sees the old file or the whole new one.

    Raises:
        PlatformError: the report does not conform, or the file cannot be written.
    """
    validate(report)
    text = json.dumps(report, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="ascii", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise PlatformError(f"{path} cannot be written: {error.strerror or error}") from error


def read_report(path: Path) -> _Json:
    """Read a report that `write_report` wrote.

    Raises:
        UsageError: there is none, or it is not a valid ``report/1``.
    """
    try:
        with open_regular(path) as file:
            report = json.loads(file.read())
        validate(report)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError, PlatformError) as error:
        raise UsageError(f"{path} is not a {SCHEMA} file: {error}") from error
    return cast("_Json", report)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
