"""Results for GitHub Classroom's reporter action and for Classroom 50.

Both hold levels and points and nothing of any check: candidates may come to see them.

The reporter (``classroom-resources/autograding-grading-reporter``) reads one result a runner from
an environment variable, base64 of JSON. It adds up the scores of all tests, of failed ones too, in
floating point and shows the sum as it comes, so the scores are such that their sum is exact.
A missing ``line_no`` would be shown as "undefined". Its console table counts passed tests instead
of points: what it prints there is the share of categories that are at least Strong.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.errors import UsageError
from grader.models import Level
from grader.report.points import MOST, whole_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.report.dossier import Dossier
    from grader.report.model import Report

__all__ = ["Place", "classroom50_result", "place_from", "reporter_line", "reporter_result"]

_Json = dict[str, Any]
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
_STRONG = {level.name.capitalize() for level in (Level.STRONG, Level.EXCELLENT)}


def reporter_result(report: Report) -> _Json:
    """The result that the reporter reads; points are those of the rubric, out of 4."""
    parts = whole_points(report.scorecard)
    fractions = _fractions([part.points for part in parts])
    return {
        "version": 1,
        "status": "pass",
        "max_score": 4,
        "tests": [
            {
                "name": f"{part.title}: {part.level_name}",
                "status": "pass" if part.level_name in _STRONG else "fail",
                "score": score,
                "message": None,
                "test_code": "",
                "filename": "",
                "line_no": 0,
                "duration": 0,
            }
            for part, score in zip(parts, fractions, strict=True)
        ],
    }


def _fractions(points: Sequence[int]) -> list[float]:
    """Points as fractions that, added up one after the other, give exactly what is meant.

    Each is the step from one sum to the next, so it may differ from its points in the last digit.
    """
    sums = [0.0, *(total / 100 for total in itertools.accumulate(points))]
    found = []
    for before, after in itertools.pairwise(sums):
        step = after - before
        while before + step != after:
            step = math.nextafter(step, math.inf if before + step < after else -math.inf)
        found.append(step)
    return found


def reporter_line(dossier: Dossier) -> bytes:
    """The same as the one base64 line that the environment variable holds."""
    text = json.dumps(reporter_result(dossier.report), allow_nan=False)
    return base64.b64encode(text.encode("ascii"))


@dataclass(frozen=True, slots=True)
class Place:
    """Whose submission a Classroom 50 result is for; the collector holds it against the source.

    Attributes:
        submitted: time of the graded commit, ``YYYY-MM-DDTHH:MM:SSZ``; the same at each regrade.
    """

    classroom: str
    assignment: str
    assignment_type: str
    owner: str
    submission: str
    commit: str
    release: str
    review: str
    submitted: str


def place_from(environment: Mapping[str, str]) -> Place:
    """Read what Classroom 50's runner puts into the environment.

    Raises:
        UsageError: a variable is missing or wrong; the message names it.
    """

    def needed(*names: str) -> str:
        for name in names:
            if value := environment.get(name, "").strip():
                return value
        raise UsageError(f"the environment lacks {names[0]}, which Classroom 50's runner sets")

    commit = needed("COMMIT_URL")
    place = Place(
        classroom=needed("CLASSROOM"),
        assignment=needed("ASSIGNMENT"),
        assignment_type=environment.get("ASSIGNMENT_TYPE", "").strip() or "individual",
        owner=needed("OWNER", "USERNAME"),
        submission=needed("SUBMISSION_TAG"),
        commit=commit,
        release=needed("RELEASE_URL"),
        review=environment.get("REVIEW_URL", "").strip() or commit,
        submitted=needed("SUBMITTED_AT"),
    )
    if not place.submission.startswith("submit/"):
        raise UsageError(f"SUBMISSION_TAG should begin with submit/, not {place.submission[:40]!a}")
    if not _TIME.fullmatch(place.submitted):
        raise UsageError(f"SUBMITTED_AT is no time like 2026-11-20T23:59:00Z: {place.submitted!a}")
    if place.assignment_type not in {"individual", "group"}:
        raise UsageError("ASSIGNMENT_TYPE should be individual or group")
    return place


def classroom50_result(report: Report, place: Place) -> _Json:
    """``classroom50/result/v1``: whole points, the overall score times 100 out of 400."""
    parts = whole_points(report.scorecard)
    return {
        "schema": "classroom50/result/v1",
        "classroom": place.classroom,
        "assignment": place.assignment,
        "assignment_type": place.assignment_type,
        "owner": place.owner,
        "submission": place.submission,
        "commit": place.commit,
        "release": place.release,
        "review": place.review,
        "datetime": place.submitted,
        "score": sum(part.points for part in parts),
        "max-score": MOST,
        "tests": [
            {
                "test-name": part.title,
                "passed": part.level_name in _STRONG,
                "score": part.points,
                "max-score": part.most,
                "level": part.level_name,
            }
            for part in parts
        ],
    }
