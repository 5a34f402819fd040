"""The conventions of a task sheet: lines with a name, which hidden tests refer to.

A table whose first heading is ``line`` holds them, one line a row::

    | line | what holds |
    |---|---|
    | `one-row` | A frame of one row is allowed. |
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grader.errors import ExerciseError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LINE", "read_sheet"]

LINE = r"[a-z][a-z0-9-]{0,39}"
_NAMED = re.compile(rf"`({LINE})`")
_RULE = re.compile(r":?-+:?")
_CELL = re.compile(r"(?<!\\)\|")  # a bar that is no part of the text


def read_sheet(path: Path) -> dict[str, str]:
    """The named lines of a task sheet.

    Args:
        path: a Markdown file.

    Returns:
        The line's name → its text, in order.

    Raises:
        ExerciseError: the file cannot be read, or a row of such a table has no name of its own.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{path}: cannot be read ({error}); it is the task sheet") from error
    found: dict[str, str] = {}
    inside = False
    for number, raw in enumerate(text.splitlines(), 1):
        row = raw.strip()
        if not row.startswith("|"):
            inside = False
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in _CELL.split(row.strip("|"))]
        if not inside:
            inside = cells[0].lower() == "line"
            continue
        if all(_RULE.fullmatch(cell) for cell in cells):
            continue
        named = _NAMED.fullmatch(cells[0])
        if not named:
            raise ExerciseError(
                f"{path}:{number}: a line needs a name such as `one-row` in its first cell, not "
                f"{cells[0]!r}"
            )
        if named[1] in found:
            raise ExerciseError(f"{path}:{number}: the name `{named[1]}` is used twice; rename one")
        found[named[1]] = cells[1] if len(cells) > 1 else ""
    return found
