"""The scorecard on a terminal.

It reads the same without colour, on a light or a dark background and at any width from 60 columns;
where the terminal is not UTF-8 every glyph and every non-ASCII character has an ASCII form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from grader.models import Band, Level, Status
from grader.report._findings import findings, remarks
from grader.report._layout import Look, both_ends, indent, indent_text, item, quote
from grader.report._notebook import notebook
from grader.report._output import output_shown
from grader.scoring.final import beside, counted
from grader.scoring.series import collect_series
from grader.text import CandidateText, clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console, RenderableType

    from grader.models import Evidence
    from grader.report.model import Report
    from grader.scores import CategoryScore, Indicator, ScoreCard

__all__ = ["render", "summary_table"]

# Colours that stay legible on white and on black.
_LEVEL_STYLE = {
    Level.POOR: "red",
    Level.OKAY: "dark_orange3",
    Level.STRONG: "dark_cyan",
    Level.EXCELLENT: "green",
}
_BAND_STYLE = {Band.BELOW: "red", Band.MEETS: "dark_cyan", Band.EXCEEDS: "green"}
_GAUGE = 24
_SHARE = 25
_MOST_NEGATIVE, _MOST_POSITIVE = 4, 3
_MOST_FAILURES = 6
_MAX_WIDTH = 110


def render(
    report: Report, console: Console, *, verbose: bool = False, results: Path | None = None
) -> None:
    """Print the scorecard of one submission.

    Args:
        report: what to print.
        console: where; its width, colours and encoding are respected.
        verbose: show all indicators, failures and message lines, and what the submission wrote.
        results: the folder or file with the full report, named at the end.
    """
    look = Look(console, min(console.width, _MAX_WIDTH), verbose)
    parts: list[RenderableType] = [*_header(report, look)]
    categories = report.scorecard.categories
    for category in (c for c in categories if c.assessed):
        parts += _category(category, look)
    parts.append(Text())
    parts += (_not_assessed(c, look) for c in categories if not c.assessed)
    parts += _measured(report, look)
    parts += notebook(report.notebook, look)
    parts += _failures(report, look)
    parts += remarks(report, look)
    parts += findings(report.findings, look)
    parts += _notes(report, look)
    parts += _footer(report, look, results)
    for part in parts:
        console.print(part, width=look.width, highlight=False, markup=False, emoji=False)


def _header(report: Report, look: Look) -> Iterable[RenderableType]:
    card = report.scorecard
    files = f"{len(report.files)} file{'s' if len(report.files) != 1 else ''}"
    yield Text()
    yield both_ends(
        look.text(report.exercise_title, "bold"),
        look.text(f"{report.exercise_id} {report.exercise_version}", "dim"),
    )
    facts = (report.submission_name, report.submission_digest[:8], files)
    yield look.text(look.dot.join(facts))
    yield Text()
    score = Text.assemble(
        (f"{card.overall:.2f}", f"bold {_BAND_STYLE[card.band]}"), (" of 4   ", "dim")
    )
    score.append_text(look.bar(_steps(card.overall), _GAUGE, _BAND_STYLE[card.band]))
    score.append(f"   {_band(card)}", style=f"bold {_BAND_STYLE[card.band]}")
    yield score
    if card.missed:
        higher = "exceed" if card.band is Band.MEETS else "meet"
        yield look.text(f"To {higher} {card.seniority} it lacks {'; '.join(card.missed)}", "dim")
    if report.machine is not None:
        yield look.text(counted(card, report.machine))
    yield Text()
    yield Rule(characters=look.glyph("─", "-"), style="dim")


def _steps(overall: float) -> int:
    """Filled cells of the gauge: none at 1.0, all at 4.0, rounded down in between."""
    return int((overall - 1) / 3 * _GAUGE + 1e-9)


def _band(card: ScoreCard) -> str:
    return {Band.BELOW: "Below", Band.MEETS: "Meets", Band.EXCEEDS: "Exceeds"}[
        card.band
    ] + f" {card.seniority} expectations"


def _category(category: CategoryScore, look: Look) -> Iterable[RenderableType]:
    style = _LEVEL_STYLE[category.level]
    yield Text()
    right = look.bar(int(category.level), 4, style)
    right.append(f" {category.level.name.capitalize():<9}", style=f"bold {style}")
    right.append(f"  {category.weight * 100:3.0f} %", style="dim")
    title = look.text(category.title, "bold")
    if category.provisional:
        title.append("  provisional", style="dim italic")
    yield both_ends(title, right)
    if told := beside(category):
        yield indent(look.text(CandidateText(f"{told[:1].upper()}{told[1:]}.")))
    if category.decision and category.decision.reason:
        yield indent(look.text(CandidateText(f"Reason: {category.decision.reason}")))
    decision = category.decided_by.partition(": ")[2] or category.decided_by
    yield indent(look.text(f"{decision[:1].upper()}{decision[1:]}.", "dim"))
    negative = [i for i in category.indicators if not i.positive]
    positive = [i for i in category.indicators if i.positive]
    yield from _indicators(negative, _MOST_NEGATIVE, look)
    yield from _indicators(positive, _MOST_POSITIVE, look)


def _not_assessed(category: CategoryScore, look: Look) -> RenderableType:
    return both_ends(look.text(category.title, "dim"), Text("not assessed yet", style="dim"))


def _indicators(found: Sequence[Indicator], most: int, look: Look) -> Iterable[RenderableType]:
    shown = found if look.verbose or len(found) <= most + 1 else found[:most]
    for indicator in shown:
        mark = Text(look.tick, "green") if indicator.positive else Text(look.cross, "red")
        text = look.text(indicator.text)
        if indicator.detail:
            text.append_text(look.text(CandidateText(f": {indicator.detail}"), "dim"))
        yield item(mark, text)
    if rest := len(found) - len(shown):
        yield item(Text(" "), Text(f"and {rest} more", style="dim"))


def _measured(report: Report, look: Look) -> Iterable[RenderableType]:
    """Series of shares: a row of small columns each, with --verbose a bar for each point."""
    series = collect_series(m for record in report.evidence for m in record.measurements)
    if not series:
        return
    yield Text()
    yield Rule(
        Text("Measured", style="bold"), characters=look.glyph("─", "-"), style="dim", align="left"
    )
    for name, points in series.items():
        values = [point.value for point in points]
        heading = look.text(name, "bold")
        heading.append(f"  {min(values):.2f} to {max(values):.2f}", style="dim")
        if not look.verbose:
            yield both_ends(indent_text(heading), look.columns(values))
            continue
        yield Text()
        yield indent(heading)
        for point in points:
            row = look.share(point.value, point.mark, _SHARE)
            row.append(f" {point.value:.2f}")
            yield both_ends(indent_text(look.text(point.name), 4), row)
    if look.verbose:
        mark = look.glyph("┃", "|")
        yield indent(Text(f"{mark} marks a limit, or where a bar should ideally end", style="dim"))


def _failures(report: Report, look: Look) -> Iterable[RenderableType]:
    failed = [record for record in report.evidence if record.status is not Status.PASSED]
    yield Text()
    title = f"{len(failed)} of {len(report.evidence)} hidden checks failed"
    if not failed:
        yield item(
            Text(look.tick, "green"), Text(f"All {len(report.evidence)} hidden checks passed")
        )
        return
    yield Rule(
        Text(title, style="bold"), characters=look.glyph("─", "-"), style="dim", align="left"
    )
    groups: dict[tuple[str, str, str], list[Evidence]] = {}
    for record in failed:
        key = (record.cause.value, record.message, "" if record.message else record.test.id)
        groups.setdefault(key, []).append(record)
    most = len(groups) if look.verbose or len(groups) <= _MOST_FAILURES + 1 else _MOST_FAILURES
    for records in list(groups.values())[:most]:
        yield from _failure(records, look)
    if rest := sum(len(records) for records in list(groups.values())[most:]):
        yield Text()
        yield Text(f"{rest} more failed checks are in the report (or with --verbose)", style="dim")


def _failure(records: Sequence[Evidence], look: Look) -> Iterable[RenderableType]:
    first = records[0]
    yield Text()
    heading = look.text(first.test.title or first.test.id, "bold")
    yield item(Text(look.cross, "red"), heading, by=0)
    facts = (first.test.criterion, first.cause.value, first.test.id)
    yield indent(look.text(look.dot.join(facts), "dim"))
    if first.message:
        yield indent(quote(first.message, look))
    if first.where:
        yield indent(look.text(f"at {first.where}", "dim"))
    if len(records) > 1:
        others = f"the same in {len(records) - 1} more"
        names = ", ".join(record.test.id.rpartition("::")[2] for record in records[1:])
        text = look.text(f"{others}: {names}", "dim")
        if not look.verbose:
            text = look.text(clip(f"{others}: {names}", 220), "dim")
        yield indent(text)


def _notes(report: Report, look: Look) -> Iterable[RenderableType]:
    notes = (*report.submission_notes, *report.run.judge_notes)
    if notes:
        yield Text()
    for note in notes:
        yield item(Text("-", "dim"), look.text(note, "dim"), by=0)
    outputs, left = output_shown(report) if look.verbose else ([], 0)
    for output in outputs:
        yield Text()
        cut = " (cut off)" if output.truncated else ""
        yield look.text(f"{output.stream} during {output.test_id}{cut}", "dim")
        yield quote(output.text, look)
    if left:
        yield Text()
        yield look.text(f"the output of {left} more is in report.json", "dim")


def _footer(report: Report, look: Look, results: Path | None) -> Iterable[RenderableType]:
    yield Text()
    yield Rule(characters=look.glyph("─", "-"), style="dim")
    run = report.run
    facts = [f"grader {run.grader_version}", f"tests {run.suite_digest[:8]}"]
    if "total" in report.moment.timings:
        facts.append(f"{report.moment.timings['total']:.1f} s")
    if report.moment.runtime:
        facts.append(report.moment.runtime)
    yield look.text(look.dot.join(facts), "dim")
    if results is not None:
        yield look.text(f"Full report: {results}")
    yield Text()


def summary_table(reports: Sequence[Report], console: Console) -> None:
    """Print one row for each submission, best first, with the levels of its categories."""
    look = Look(console, console.width, verbose=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Submission", overflow="fold")
    table.add_column("Digest", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Band", no_wrap=True)
    table.add_column("Levels", no_wrap=True)
    table.add_column("Failed", justify="right", no_wrap=True)
    for report in sorted(reports, key=lambda r: (-r.scorecard.overall, r.submission_name)):
        card = report.scorecard
        failed = sum(record.status is not Status.PASSED for record in report.evidence)
        style = _BAND_STYLE[card.band]
        table.add_row(
            look.text(report.submission_name),
            look.text(report.submission_digest[:8], "dim"),
            Text(f"{card.overall:.2f}", style=f"bold {style}"),
            Text(card.band.value, style=style),
            _levels(card),
            Text(f"{failed}/{len(report.evidence)}", style="" if failed else "dim"),
        )
    console.print(table, highlight=False, markup=False, emoji=False)
    if reports:
        titles = ", ".join(c.title for c in reports[0].scorecard.categories)
        legend = f"Levels 1-4 in this order: {titles}; - is not assessed yet."
        console.print(look.text(legend, "dim"), highlight=False)


def _levels(card: ScoreCard) -> Text:
    text = Text()
    for category in card.categories:
        if category.assessed:
            text.append(f"{int(category.level)} ", style=f"bold {_LEVEL_STYLE[category.level]}")
        else:
            text.append("- ", style="dim")
    return text
