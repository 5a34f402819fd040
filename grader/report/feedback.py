"""What a candidate may read: levels, what was done well, counts and hints.

It must not reveal a hidden input, an expected value or a test's source. So it holds nothing that a
test measured, compared or raised, no test's name or title, and no overall score or band (which are
the team's to weigh); only authors' words that are written for candidates. Every format for
candidates is made from `feedback_of` and from nothing else of a report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.models import Cause, Status
from grader.notebook.facts import consequences, lacking
from grader.scoring.final import beside
from grader.scoring.indicators import HELD_BACK
from grader.text import CandidateText, clip, for_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.report.model import Report
    from grader.scores import CategoryScore

__all__ = [
    "ABOUT_FILES",
    "BROKEN_LINES",
    "HELD",
    "LEVELS",
    "NOT_LOADED",
    "NOT_TOP_TO_BOTTOM",
    "CategoryFeedback",
    "FailedCell",
    "Feedback",
    "feedback",
    "feedback_of",
]


NOT_LOADED = (
    "Your submission could not be loaded",
    (
        "so nothing in it could be checked. Make sure that it imports on its own, with the "
        "packages that the task sheet offers."
    ),
)
NOT_TOP_TO_BOTTOM = "Your notebook does not run from top to bottom in a fresh session"
ABOUT_FILES = "About your files"
BROKEN_LINES = "Lines of the task sheet to read again"
HELD = "This category counts once the code does what the task asks for."
LEVELS = (
    "Poor: the code does not do what the task asks. Okay: it does part of it. Strong: all that "
    "counts first. Excellent: also what the task sheet lists for Excellent."
)


_PLACE = re.compile(r"[A-Za-z0-9._/ -]{1,200}:\d{1,7}")  # a file of the submission and a line
_ERROR_CHARS = 500
_NOTE_CHARS = 400
_MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class CategoryFeedback:
    """One category.

    Attributes:
        title: its name.
        level: 1-4; None where nothing assessed it.
        level_name: the level as a word.
        provisional: a reviewer has yet to confirm it.
        counts: (criterion's title, how many were kept, of how many, of what).
        held: it is Poor because the code does not do what it is for yet.
        decided: what a reviewer decided beside the machine, and which counts.
    """

    title: str
    level: int | None
    level_name: str
    provisional: bool
    counts: tuple[tuple[str, int, int, str], ...]
    held: bool = False
    decided: str = ""


@dataclass(frozen=True, slots=True)
class FailedCell:
    """One of the candidate's own cells that failed in a fresh session.

    Attributes:
        place: which cell and line, or in our words why the run ended.
        source: that line.
        said: type and text of the error.
    """

    place: str
    source: CandidateText
    said: CandidateText


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a candidate may know.

    Attributes:
        done_well: titles of criteria of which every check passed.
        hints: what the authors say about checks that failed, each once.
        broken: lines of the task sheet that were not kept, with their text; both are public.
        loaded: False where no check got further than importing the submission.
        failed_cells: of a notebook that does not run from top to bottom; cells that only lack a
            name because an earlier one failed are counted in place of being listed.
        load_error: where a module that does not load failed, and with what.
        graded: the notebook that was graded; empty for a module.
        notes: what was left out of the submission, and which file was chosen.
    """

    exercise_title: str
    submission_name: str
    digest: str
    loaded: bool
    categories: tuple[CategoryFeedback, ...]
    done_well: tuple[str, ...]
    hints: tuple[str, ...]
    broken: tuple[tuple[str, str], ...] = ()
    failed_cells: tuple[FailedCell, ...] = ()
    load_error: FailedCell | None = None
    graded: str = ""
    notes: tuple[CandidateText, ...] = ()


def feedback_of(report: Report) -> Feedback:
    """Take from a report what its candidate may know."""
    loaded = not _never_loads(report)
    assessed = [c for c in report.scorecard.categories if c.assessed]
    full = [s.title for c in assessed for s in c.criteria if s.total and s.passed == s.total]
    return Feedback(
        exercise_title=report.exercise_title,
        submission_name=report.submission_name,
        digest=report.submission_digest[:8],
        loaded=loaded,
        categories=tuple(_category(category) for category in report.scorecard.categories),
        done_well=tuple(dict.fromkeys(full)) if loaded else (),
        hints=tuple(
            dict.fromkeys(
                record.test.hint
                for record in report.evidence
                if record.status is not Status.PASSED and record.test.hint
            )
        ),
        broken=_broken(report) if loaded else (),
        failed_cells=_failed_cells(report),
        load_error=None if loaded else _load_error(report),
        graded=report.notebook.path if report.notebook else "",
        notes=tuple(
            clip(note, _NOTE_CHARS)
            for note in report.submission_notes[:_MOST_NOTES]
            if not note.startswith("assessment.toml names")
        ),
    )


def _broken(report: Report) -> tuple[tuple[str, str], ...]:
    lines = (r.test.line for r in report.evidence if r.status is not Status.PASSED)
    return tuple(
        (line, report.sheet[line]) for line in dict.fromkeys(lines) if line in report.sheet
    )


def _load_error(report: Report) -> FailedCell | None:
    """What the module raised at load, which is before any question: nothing hidden can show."""
    record = next((r for r in report.evidence if r.cause is Cause.LOAD_ERROR), None)
    if record is None:
        return None
    place = _PLACE.match(record.where)
    said = clip(record.message, _ERROR_CHARS)
    return FailedCell(place[0] if place else "", CandidateText(""), said)


def _failed_cells(report: Report) -> tuple[FailedCell, ...]:
    """The candidate's own cells on no input of ours, so nothing hidden can show in them."""
    if report.notebook is None:
        return ()
    found: list[FailedCell] = []
    follow = consequences(report.notebook)
    for error in report.notebook.errors:
        if error in follow:
            continue
        place = f"cell {error.number}" + (f", line {error.line}" if error.line else "")
        said = ": ".join(text.raw for text in (error.type, error.message) if text.raw)
        found.append(FailedCell(place, error.source, CandidateText(said)))
    nothing = CandidateText("")
    if follow:
        found.append(FailedCell(lacking(len(follow)), nothing, nothing))
    if report.notebook.stopped:
        found.append(FailedCell(f"it stopped: {report.notebook.stopped}", nothing, nothing))
    return tuple(found)


def _never_loads(report: Report) -> bool:
    """No hidden test got further than loading; static checks read the code all the same."""
    ran = [r for r in report.evidence if not r.test.id.startswith("static::")]
    return bool(ran) and all(r.cause is Cause.LOAD_ERROR for r in ran)


def _category(category: CategoryScore) -> CategoryFeedback:
    return CategoryFeedback(
        category.title,
        int(category.level) if category.assessed else None,
        category.level.name.capitalize() if category.assessed else "not assessed",
        category.provisional,
        tuple((s.title, s.passed, s.total, s.unit) for s in category.criteria if s.total),
        held=category.assessed
        and category.decided_by.startswith(HELD_BACK)
        and not (category.decision and category.decision.counts),
        decided=beside(category, named=False),
    )


def feedback(report: Report) -> str:
    """Markdown for the candidate."""
    told = feedback_of(report)
    name = for_markdown(told.submission_name)
    lines = [
        f"# Feedback: {told.exercise_title}",
        "",
        LEVELS,
        "",
        f"Submission {name}, content digest `{told.digest}`."
        + (f" Graded: {for_markdown(told.graded)}." if told.graded else ""),
    ]
    if not told.loaded:
        lines += ["", f"**{NOT_LOADED[0]}**, {NOT_LOADED[1]}"]
    if told.load_error:
        place = for_markdown(told.load_error.place)
        lines += [
            "",
            ": ".join(text for text in (place, for_markdown(told.load_error.said)) if text),
        ]
    if told.failed_cells:
        lines += ["", f"**{NOT_TOP_TO_BOTTOM}:**", ""]
    for cell in told.failed_cells:
        source = f" in {for_markdown(cell.source)}" if cell.source.raw else ""
        said = f": {for_markdown(cell.said)}" if cell.said.raw else ""
        lines.append(f"- {cell.place}{source}{said}")
    for category in told.categories:
        lines += ["", *_section(category)]
    if told.done_well:
        lines += ["", "## What you did well", "", *(f"- {title}" for title in told.done_well)]
    if told.broken:
        lines += ["", f"## {BROKEN_LINES}", ""]
        lines += [f"- `{line}`: {text}" for line, text in told.broken]
    if told.hints:
        lines += ["", "## What to think about", "", *(f"- {hint}" for hint in told.hints)]
    if told.notes:
        lines += ["", f"## {ABOUT_FILES}", "", *(f"- {for_markdown(note)}" for note in told.notes)]
    return "\n".join([*lines, ""])


def _section(category: CategoryFeedback) -> Iterable[str]:
    provisional = " (until a reviewer confirms it)" if category.provisional else ""
    if category.level is None:
        yield f"## {category.title}: not assessed"
        return
    yield f"## {category.title}: {category.level_name}{provisional}"
    yield ""
    if category.decided:
        yield f"- {category.decided[:1].upper()}{category.decided[1:]}"
    if category.held:
        yield f"- {HELD}"
    yield from (
        f"- {title}: {passed} of {total} {unit} kept"
        for title, passed, total, unit in category.counts
    )
