"""The parts that a scorecard is laid out from: glyphs, bars, rows, quotes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.text import clip, for_rich

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from grader.text import CandidateText

__all__ = ["Look", "both_ends", "indent", "indent_text", "item", "quote"]

_MESSAGE_LINES, _MESSAGE_CHARS = 8, 1200


@dataclass(frozen=True, slots=True)
class Look:
    """Glyphs and limits of one rendering."""

    console: Console
    width: int
    verbose: bool

    @property
    def ascii_only(self) -> bool:
        return self.console.options.ascii_only

    def glyph(self, wide: str, plain: str) -> str:
        return plain if self.ascii_only else wide

    @property
    def dot(self) -> str:
        return f" {self.glyph('·', '|')} "

    @property
    def tick(self) -> str:
        return self.glyph("✓", "+")

    @property
    def cross(self) -> str:
        return self.glyph("✗", "x")

    def bar(self, filled: int, width: int, style: str) -> Text:
        text = Text().append(self.glyph("■", "#") * filled, style=style)
        return text.append(self.glyph("□", ".") * (width - filled), style="dim")

    def share(self, value: float, mark: float | None, width: int) -> Text:
        """A bar from 0 to 1, with a mark where a limit or an ideal value lies."""
        cells = [self.glyph("■", "#")] * round(_within(value) * width)
        cells += [self.glyph("·", ".")] * (width - len(cells))
        if mark is not None:
            cells[min(width - 1, int(_within(mark) * width))] = self.glyph("┃", "|")
        return Text("".join(cells))

    def columns(self, values: Sequence[float]) -> Text:
        """One small column for each share of one; without Unicode, its tenths as a digit."""
        steps = self.glyph("▁▂▃▄▅▆▇█", "0123456789")
        places = (min(len(steps) - 1, int(_within(value) * len(steps))) for value in values)
        return Text("".join(steps[place] for place in places))

    def text(self, raw: str | CandidateText, style: str = "", *, lines: bool = False) -> Text:
        """Any text, safely; candidate text and authors' text go the same way."""
        return for_rich(raw, style, lines=lines, ascii_only=self.ascii_only)


def _within(value: float) -> float:
    return min(1.0, max(0.0, value)) if value == value else 0.0  # noqa: PLR0124 - NaN


def quote(raw: str | CandidateText, look: Look) -> RenderableType:
    """A message behind a bar, so that no line of it can pass for one of the scorecard's."""
    text = look.text(raw if look.verbose else clip(raw, _MESSAGE_CHARS), lines=True)
    room = max(20, look.width - 6)
    lines = [
        row
        for line in text.split("\n")
        for row in line.wrap(look.console, room, overflow="fold") or [Text()]
    ]
    rest = 0 if look.verbose else len(lines) - _MESSAGE_LINES
    if rest > 0:
        lines = [*lines[:_MESSAGE_LINES], Text(f"and {rest} more lines", style="dim")]
    bar = (f"{look.glyph('│', '|')} ", "dim")
    return Text("\n").join(Text.assemble(bar, line) for line in lines)


def both_ends(left: Text, right: Text) -> RenderableType:
    """One row with a left and a right end."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_row(left, right)
    return table


def item(mark: Text, text: Text, *, by: int = 2) -> RenderableType:
    """A mark and a text with a hanging indent."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(mark, text)
    return indent(table, by)


def indent_text(text: Text, by: int = 2) -> Text:
    """A text with spaces before it, where a row takes no other part."""
    return Text(" " * by).append_text(text)


def indent(part: RenderableType, by: int = 2) -> RenderableType:
    return Padding(part, (0, 0, 0, by), expand=False)
