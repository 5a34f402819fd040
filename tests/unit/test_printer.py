"""What is piped is wide enough and has no spaces at the ends of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from grader.report.printer import printer

if TYPE_CHECKING:
    import pytest


def test_piped_lines_are_wide_and_end_without_spaces(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    table = Table(box=None)
    table.add_column("a", min_width=90)
    table.add_row("short")
    console = printer()
    console.print(table)
    console.print("word " * 30)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line != line.rstrip(" ")] == []
    assert max(map(len, lines)) > 100


def test_a_width_that_is_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert printer().width == 60
