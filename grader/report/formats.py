"""Every format a report can have, by name: which file, for whom, and what makes it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from grader.report import feedback, report_json, terminal
from grader.report.classroom import reporter_line
from grader.report.gradescope import gradescope
from grader.report.html import feedback_page, reviewer_page
from grader.report.junit import junit
from grader.report.markdown import github_summary
from grader.report.tables import checks_csv

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.report.dossier import Dossier

__all__ = ["FORMATS", "WRITTEN_WITH_EACH_RUN", "Format", "render"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        file: its name in a results folder.
        audience: ``reviewer`` or ``candidate``; only the latter may leave the team.
        make: dossier → bytes.
    """

    file: str
    audience: str
    make: Callable[[Dossier], bytes]


def _json(dossier: Dossier) -> bytes:
    document = report_json.build_report(dossier.report)
    report_json.validate(document)
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode("ascii")


def _text(dossier: Dossier) -> bytes:
    plain = Console(file=io.StringIO(), width=100, color_system=None, force_terminal=False)
    with plain.capture() as shown:
        terminal.render(dossier.report, plain, verbose=True)
    return shown.get().encode("utf-8", "replace")


FORMATS = {
    "html": Format("report.html", "reviewer", lambda d: reviewer_page(d).encode("utf-8")),
    "json": Format("report.json", "reviewer", _json),
    "text": Format("scorecard.txt", "reviewer", _text),
    "junit": Format("junit.xml", "reviewer", junit),
    "github": Format("summary.md", "reviewer", github_summary),
    "gradescope": Format("results.json", "reviewer", gradescope),
    "csv": Format("checks.csv", "reviewer", checks_csv),
    "classroom": Format("classroom-result.b64", "reviewer", reporter_line),
    "feedback-html": Format(
        "feedback.html", "candidate", lambda d: feedback_page(d.report).encode("utf-8")
    ),
    "feedback-md": Format(
        "feedback.md", "candidate", lambda d: feedback.feedback(d.report).encode("utf-8")
    ),
}

WRITTEN_WITH_EACH_RUN = ("html", "text", "feedback-html", "feedback-md")


def render(name: str, dossier: Dossier) -> bytes:
    """One run in one format."""
    return FORMATS[name].make(dossier)
