"""Whether every line of a task sheet has a hidden test, and every hidden test a line."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["lint_sheet", "named_doubts"]


def lint_sheet(folder: Path, sheet: Mapping[str, str]) -> list[str]:
    """Hold the marks of a hidden suite against the lines of its task sheet.

    Args:
        folder: ``hidden_tests/<exercise>``.
        sheet: line → its text, as `grader.exercise.sheet.read_sheet` gives it.

    Returns:
        One sentence each: a test without a line, a line that the sheet lacks, a line without a
        test.

    Raises:
        SyntaxError: a file is no Python.
    """
    return [text for _, text in named_doubts(folder, sheet)]


def named_doubts(folder: Path, sheet: Mapping[str, str]) -> list[tuple[str, str]]:
    """The same, each with the rule that it breaks (see `grader.authoring.rules`)."""
    found: list[tuple[str, str]] = []
    tested = set()
    for path in sorted(folder.glob("test_*.py")):
        for name, number, line in _marks(ast.parse(path.read_text(encoding="utf-8"), path.name)):
            place = f"{path.name}:{number}: {name}"
            if line is None:
                text = f'{place}: names no line of the task sheet; add sheet="…"'
                found.append(("no-line", text))
            elif line not in sheet:
                text = f"{place}: names the line {line!r}, which the task sheet lacks"
                found.append(("unknown-line", text))
            tested.add(line)
    found += [
        ("untested-line", f"README.md: the line {line!r} has no hidden test")
        for line in sheet.keys() - tested
    ]
    return sorted(found, key=lambda item: item[1])


def _marks(tree: ast.Module) -> Iterator[tuple[str, int, str | None]]:
    """Each test with its line number and the line of the sheet that it names."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        marks = [
            mark
            for mark in node.decorator_list
            if isinstance(mark, ast.Call)
            and isinstance(mark.func, ast.Attribute)
            and mark.func.attr == "criterion"
        ]
        lines = [
            keyword.value.value
            for mark in marks
            for keyword in mark.keywords
            if keyword.arg == "sheet" and isinstance(keyword.value, ast.Constant)
        ]
        yield node.name, node.lineno, str(lines[0]) if lines else None
