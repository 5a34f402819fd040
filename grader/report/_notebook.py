"""Part of the scorecard: how a notebook ran from top to bottom, and what it had stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.rule import Rule
from rich.text import Text

from grader.notebook.facts import consequences, lacking
from grader.report._layout import indent, item
from grader.text import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from grader.notebook.facts import NotebookFacts
    from grader.notebook.fresh import CellError
    from grader.report._layout import Look

__all__ = ["cell_error", "notebook"]

_NUMBERS = 10  # of cells in one line


def cell_error(error: CellError) -> str:
    """Which cell failed, and with what; safe on a terminal."""
    place = f"Cell {error.number}, line {error.line}" if error.line else f"Cell {error.number}"
    said = ": ".join(for_terminal(text) for text in (error.type, error.message) if text.raw)
    return f"{place} failed: {said}"


def notebook(facts: NotebookFacts | None, look: Look) -> Iterable[RenderableType]:
    """Failing cells with their lines, and cells whose stored outputs a fresh run does not give."""
    if facts is None:
        return
    yield Text()
    yield Rule(
        Text("The notebook in a fresh run", style="bold"),
        characters=look.glyph("─", "-"),
        style="dim",
        align="left",
    )
    if not facts.errors and not facts.stopped:
        text = f"All {facts.code_cells} code cells run from top to bottom"
        yield item(Text(look.tick, "green"), look.text(text), by=0)
    follow = consequences(facts)
    for error in facts.errors:
        if error in follow:
            continue
        yield item(Text(look.cross, "red"), look.text(cell_error(error)), by=0)
        if error.source.raw:
            yield indent(look.text(error.source, "dim"))
    if follow:
        numbers = ", ".join(str(error.number) for error in follow[:_NUMBERS])
        more = f" and {len(follow) - _NUMBERS} more" if len(follow) > _NUMBERS else ""
        text = f"{lacking(len(follow)).capitalize()}: cell {numbers}{more}"
        yield item(Text(look.cross, "red"), look.text(text), by=0)
    if facts.stopped:
        yield item(Text(look.cross, "red"), look.text(f"It stopped: {facts.stopped}"), by=0)
    if facts.differences:
        numbers = ", ".join(str(item.number) for item in facts.differences)
        text = f"The stored outputs of cell {numbers} are not those of a fresh run"
        yield item(Text(look.cross, "red"), look.text(text), by=0)
    if facts.page:
        yield item(Text("-", "dim"), look.text(f"The executed notebook: {facts.page}", "dim"), by=0)
