"""Parts of the scorecard: remarks of tests, and the candidate's findings beside the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.rule import Rule
from rich.text import Text

from grader.models import Status
from grader.report._layout import indent, item
from grader.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from grader.report._layout import Look
    from grader.report.model import Report
    from grader.scoring.findings import Claim, Findings

__all__ = ["findings", "remarks"]

_LINE_CHARS = 160


def remarks(report: Report, look: Look) -> Iterable[RenderableType]:
    """What tests say to the reviewer beside their verdict, such as that they were inconclusive."""
    told = [(record, text) for record in report.evidence for text in record.remarks]
    if not told:
        return
    yield Text()
    yield _heading("Remarks of the checks", look)
    for record, text in told:
        passed = record.status is Status.PASSED
        mark = Text(look.tick, "green") if passed else Text(look.cross, "red")
        yield item(mark, look.text(record.test.title or record.test.id), by=0)
        yield indent(look.text(text, "dim"))


def findings(found: Findings | None, look: Look) -> Iterable[RenderableType]:
    """Each criterion that the candidate was asked to write about, with the lines that may be it."""
    if found is None:
        return
    yield Text()
    yield _heading(f"{found.file} beside the machine's findings (moves no score)", look)
    if found.text is None:
        yield item(Text("-", "dim"), look.text(f"There is no readable {found.file}."), by=0)
    else:
        for claim in found.claims:
            yield from _claim(claim, look)
    for note in found.notes[: None if look.verbose else 2]:
        shown = look.text(clip(note.text.raw, _LINE_CHARS), "dim")
        place = look.text(f"{note.path}, line {note.line}: ")
        yield item(Text("#", "dim"), place.append_text(shown), by=0)


def _claim(claim: Claim, look: Look) -> Iterable[RenderableType]:
    mark = Text(look.tick, "green") if claim.passed else Text(look.cross, "red")
    yield item(mark, look.text(claim.title), by=0)
    if not claim.lines:
        yield indent(Text("no line seems to be about it", style="dim"))
    for number, line in claim.lines[: None if look.verbose else 1]:
        shown = look.text(clip(line.raw, _LINE_CHARS), "dim")
        yield indent(Text(f"line {number}: ", style="dim").append_text(shown))
    for fact in claim.facts[: None if look.verbose else 1]:
        yield indent(look.text(f"did not hold: {fact}"))


def _heading(text: str, look: Look) -> RenderableType:
    return Rule(
        Text(text, style="bold"), characters=look.glyph("─", "-"), style="dim", align="left"
    )
