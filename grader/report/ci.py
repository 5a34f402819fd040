"""What a CI job says of a run: annotations, a fenced log, and payloads for a check or a status.

Annotations and payloads hold what a candidate may know. The log is the team's: it stands between
``stop-commands`` with a random token, so no line of it acts, whatever a candidate made it say.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from grader.report.feedback import feedback, feedback_of
from grader.report.markdown import capped
from grader.text import for_ci_command, for_ci_log, for_json

if TYPE_CHECKING:
    from grader.report.dossier import Dossier
    from grader.report.model import Report

__all__ = ["check_run", "commit_status", "fenced", "notices", "rejected"]

_MOST_ANNOTATIONS = 10  # of one kind in one step; GitHub drops what comes after
_CHECK_BYTES = 65_000  # of a check run's summary: 65,535 characters
_STATUS_CHARS = 140


def fenced(text: str) -> str:
    """Text for the log of a GitHub job in which no workflow command acts."""
    token = secrets.token_hex(16)
    return f"::stop-commands::{token}\n{for_ci_log(text)}\n::{token}::\n"


def notices(report: Report) -> str:
    """One notice for each category's level."""
    told = feedback_of(report)
    lines = [
        f"::notice title={for_ci_command(category.title)}::"
        f"{for_ci_command(_level(category.level_name, provisional=category.provisional))}"
        for category in told.categories
        if category.level
    ]
    if not told.loaded:
        lines.insert(0, "::warning title=Not loaded::The submission could not be loaded")
    return "".join(f"{line}\n" for line in lines[:_MOST_ANNOTATIONS])


def _level(name: str, *, provisional: bool) -> str:
    return f"{name} (until a reviewer confirms it)" if provisional else name


def check_run(dossier: Dossier, *, name: str, commit: str) -> bytes:
    """The body of a request that creates a check run on the candidate's commit.

    The conclusion is always ``neutral``: a level is no failed build.
    """
    report = dossier.report
    summary = capped(feedback(report).splitlines(), _CHECK_BYTES).decode("utf-8")
    body = {
        "name": name,
        "head_sha": commit,
        "status": "completed",
        "conclusion": "neutral",
        "output": {"title": _levels(report), "summary": for_json(summary)},
    }
    return json.dumps(body).encode("ascii")


def commit_status(dossier: Dossier, *, name: str) -> bytes:
    """The body of a request that sets a status on the candidate's commit."""
    description = _levels(dossier.report)
    body = {
        "state": "success",
        "context": name,
        "description": description[:_STATUS_CHARS],
    }
    return json.dumps(body).encode("ascii")


def rejected(*, name: str, commit: str) -> tuple[bytes, bytes]:
    """Bodies of a check run and of a status for a submission that could not be read."""
    told = "The submission could not be read. Your contact can tell you why."
    output = {"title": "Not graded", "summary": told}
    check = {
        "name": name,
        "head_sha": commit,
        "status": "completed",
        "conclusion": "action_required",
        "output": output,
    }
    status = {"state": "error", "context": name, "description": told}
    return json.dumps(check).encode("ascii"), json.dumps(status).encode("ascii")


def _levels(report: Report) -> str:
    told = feedback_of(report)
    return ", ".join(f"{c.title}: {c.level_name}" for c in told.categories if c.level)
