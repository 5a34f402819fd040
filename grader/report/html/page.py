"""The reviewer's report and the candidate's feedback as HTML.

Every value that a template prints goes through `for_html` (see `_finalize`), whoever it came from;
templates mark nothing as safe but drawings of our own. The pages hold no script, and their content
security policy allows none: nothing but the one style sheet, known by its digest. A notebook is
shown in a frame with an empty sandbox, which needs its own styles and pictures.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
from importlib import resources
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from grader import __version__
from grader.models import Cause, Status
from grader.report._output import output_shown
from grader.report.feedback import (
    ABOUT_FILES,
    BROKEN_LINES,
    HELD,
    LEVELS,
    NOT_LOADED,
    NOT_TOP_TO_BOTTOM,
    feedback_of,
)
from grader.report.html.figures import bullets, diagrams, strips
from grader.report.interview import questions
from grader.report.sources import place_of, sources
from grader.scoring.final import beside, counted
from grader.scoring.indicators import CAUSES
from grader.text import CandidateText, clip, clip_lines, for_html

if TYPE_CHECKING:
    from grader.models import Evidence
    from grader.report.dossier import Dossier
    from grader.report.model import Report
    from grader.scores import CategoryScore

__all__ = [
    "feedback_page",
    "make_environment",
    "make_page",
    "reviewer_page",
    "reviewer_values",
    "style",
]

_MESSAGE_CHARS, _MESSAGE_LINES = 4000, 40
_PAPER_CRITERIA, _PAPER_QUESTIONS = 5, 4  # what fits on one page
_LIMIT_CAUSES = frozenset(
    {Cause.TIMEOUT, Cause.WALL_LIMIT, Cause.MEMORY, Cause.TOO_LARGE, Cause.DIED}
)
_UNSAFE_ID = re.compile(r"[^a-z0-9]+")


def reviewer_page(dossier: Dossier) -> str:
    """Everything about one run, as one page."""
    css = style()
    return (
        make_environment()
        .get_template("reviewer.html.j2")
        .render(
            policy=_policy(css, frame=dossier.notebook is not None),
            css=Markup(css),  # noqa: S704 - a file of this package
            **reviewer_values(dossier),
        )
    )


def reviewer_values(dossier: Dossier, *, checks: str = "") -> dict[str, object]:
    """What the templates of a reviewer's page show of a run.

    Args:
        dossier: the run.
        checks: address of the page that shows the checks, where it is another page.
    """
    report = dossier.report
    evidence = report.evidence
    outputs, outputs_left = output_shown(report)
    notebook = dossier.notebook
    anchors = {record.test.id: f"check-{n}" for n, record in enumerate(evidence, 1)}
    book = report.notebook.path if report.notebook else ""
    files = sources(dossier.files, dossier.starter, evidence, book, dossier.handed_out)
    names = {file.path: f"file-{n}" for n, file in enumerate(files, 1)}
    shown = {(file.path, row.anchor) for file in files for row in file.rows}
    return {
        "to": {"checks": checks},
        "version": __version__,
        "report": report,
        "card": report.scorecard,
        "categories": report.scorecard.categories,
        "groups": _groups(report),
        "anchors": anchors,
        "titles": {record.test.id: record.test.title or record.test.id for record in evidence},
        "causes": {cause: text for cause, text in CAUSES.items() if cause is not Cause.NONE},
        "passed": sum(record.status is Status.PASSED for record in evidence),
        "limits_hit": [record for record in evidence if record.cause in _LIMIT_CAUSES],
        "bullets": bullets(evidence),
        "strips": strips(evidence),
        "diagrams": diagrams(evidence),
        "questions": questions(report),
        "paper_criteria": _PAPER_CRITERIA,
        "paper_questions": _PAPER_QUESTIONS,
        "files": files,
        "names": names,
        "places": {
            record.where: f"{names[place[0]]}-{place[1]}"
            for record in evidence
            if (place := place_of(record.where, book)) in shown and place
        },
        "outputs": outputs,
        "outputs_left": outputs_left,
        "notebook": None if notebook is None else CandidateText(notebook),
        "beside": beside,
        "counted": counted,
        "message_chars": _MESSAGE_CHARS,
    }


def feedback_page(report: Report) -> str:
    """What the candidate may know, as one page."""
    return make_page(
        "feedback.html.j2",
        told=feedback_of(report),
        about_files=ABOUT_FILES,
        broken_lines=BROKEN_LINES,
        held=HELD,
        levels=LEVELS,
        not_loaded=NOT_LOADED,
        not_top_to_bottom=NOT_TOP_TO_BOTTOM,
    )


def make_page(template: str, **values: object) -> str:
    """A page of our own, in the reports' style, that loads nothing."""
    css = style()
    return (
        make_environment()
        .get_template(template)
        .render(
            policy=_policy(css, frame=False),
            css=Markup(css),  # noqa: S704 - a file of this package
            **values,
        )
    )


def _groups(report: Report) -> list[tuple[CategoryScore, list[tuple[object, list[Evidence]]]]]:
    """Category → criterion → its checks, failed ones first; each criterion in one category."""
    taken: set[str] = set()
    found = []
    for category in report.scorecard.categories:
        criteria: list[tuple[object, list[Evidence]]] = []
        for share in category.criteria:
            records = [r for r in report.evidence if r.test.criterion == share.id]
            if records and share.id not in taken:
                taken.add(share.id)
                criteria.append((share, sorted(records, key=lambda r: r.status is Status.PASSED)))
        found.append((category, criteria))
    return found


@functools.cache
def style() -> str:
    """The style sheet of all pages."""
    folder = resources.files("grader.report.html").joinpath("templates")
    return folder.joinpath("report.css").read_text("utf-8")


def _policy(css: str, *, frame: bool) -> str:
    """The page's content security policy."""
    if frame:  # the frame's document inherits this policy, and its styles are its own
        return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@functools.cache
def make_environment(*packages: str) -> jinja2.Environment:
    """Templates whose every value goes through the one encoder of this sink.

    Args:
        packages: with templates of their own, which are looked through before the reports'.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(name, "templates") for name in (*packages, "grader.report.html")]
        ),
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "lines": _lines,
        "clipped": clip,
        "few_lines": lambda text: clip_lines(text, _MESSAGE_LINES),
        "document": _document,
        "figure": lambda value: f"{value:.3g}",
        "size": _size,
        "field": _field,
        "flowing": lambda text: " ".join(text.split()),  # a text that its author wrapped
        "capitalize_first": lambda text: f"{text[:1].upper()}{text[1:]}",
        "slug": lambda text: _UNSAFE_ID.sub("-", str(text).lower()),
    }
    return environment


def _finalize(value: object) -> object:
    """The one encoder of this sink; markup that our own macros and filters made stays."""
    if isinstance(value, Markup):
        return value
    text = value if isinstance(value, str | CandidateText) else str(value)
    return Markup(for_html(text))  # noqa: S704 - just encoded


def _lines(text: str | CandidateText) -> Markup:
    """Text whose line feeds stay, for an element that keeps white space."""
    return Markup(for_html(text, lines=True))  # noqa: S704 - just encoded


def _field(text: str) -> Markup:
    """A reviewer's text as the value of a field: it comes back as it was written."""
    return Markup(html.escape(text, quote=True))  # noqa: S704 - just encoded


def _document(text: CandidateText) -> Markup:
    """A whole document for ``srcdoc``: of our own making, so nothing in it is made visible."""
    raw = text.raw.encode("utf-8", "replace").decode("utf-8")
    return Markup(html.escape(raw, quote=True))  # noqa: S704 - just encoded


def _size(count: float) -> str:
    units = ("bytes", "KiB", "MiB", "GiB")
    place = 0
    while count >= 1024 and place < len(units) - 1:  # noqa: PLR2004 - a binary kilo
        count /= 1024
        place += 1
    return f"{count:.3g} {units[place]}"
