"""What a candidate may read: levels, counts and hints.

It must not reveal a hidden input, an expected value or a test's source. So it holds nothing that a
test measured, compared or raised, no test's name or title, and no overall score or band (which are
the team's to weigh); only authors' words that are written for candidates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.models import Cause, Status
from grader.text import CandidateText, for_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.models import CategoryScore
    from grader.report.model import Report

__all__ = ["feedback"]


_NOT_LOADED = (
    "**Your submission could not be loaded**, so nothing in it could be checked. Make sure that it "
    "imports on its own, with the packages that the task sheet offers."
)


def feedback(report: Report) -> str:
    """Markdown for the candidate."""
    name = for_markdown(report.submission_name)
    lines = [
        f"# Feedback: {report.exercise_title}",
        "",
        f"Submission {name}, content digest `{report.submission_digest[:8]}`.",
    ]
    if _never_loads(report):
        lines += [
            "",
            _NOT_LOADED,
        ]
    lines += _failed_cells(report)
    for category in report.scorecard.categories:
        lines += ["", *_category(category)]
    hints = dict.fromkeys(
        record.test.hint
        for record in report.evidence
        if record.status is not Status.PASSED and record.test.hint
    )
    if hints:
        lines += ["", "## What to think about", "", *(f"- {hint}" for hint in hints)]
    return "\n".join([*lines, ""])


def _failed_cells(report: Report) -> list[str]:
    """The candidate's own cells on no input of ours, so nothing hidden can show in them."""
    if report.notebook is None or not (report.notebook.errors or report.notebook.stopped):
        return []
    lines = ["", "**Your notebook does not run from top to bottom in a fresh session:**", ""]
    for error in report.notebook.errors:
        place = f"cell {error.number}" + (f", line {error.line}" if error.line else "")
        said = ": ".join(text.raw for text in (error.type, error.message) if text.raw)
        source = f" in {for_markdown(error.source)}" if error.source.raw else ""
        lines.append(f"- {place}{source}: {for_markdown(CandidateText(said))}")
    if report.notebook.stopped:
        lines.append(f"- it stopped: {report.notebook.stopped}")
    return lines


def _never_loads(report: Report) -> bool:
    """No hidden test got further than loading; static checks read the code all the same."""
    ran = [r for r in report.evidence if not r.test.id.startswith("static::")]
    return bool(ran) and all(r.cause is Cause.LOAD_ERROR for r in ran)


def _category(category: CategoryScore) -> Iterable[str]:
    if not category.assessed:
        yield f"## {category.title}: not assessed"
        return
    provisional = " (until a reviewer confirms it)" if category.provisional else ""
    yield f"## {category.title}: {category.level.name.capitalize()}{provisional}"
    yield ""
    yield from (
        f"- {share.title}: {share.passed} of {share.total} checks passed"
        for share in category.criteria
        if share.total
    )
