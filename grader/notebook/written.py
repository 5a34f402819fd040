"""Files that a notebook writes with ``%%writefile``: known without running it.

They become files of the submission, so that what the notebook imports from them is found, shown
and reviewed like any other file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grader.intake.entries import plain_path

if TYPE_CHECKING:
    from grader.models import Notebook

__all__ = ["written_by", "written_file"]

_HEAD = re.compile(
    r"%%(?:writefile|file)[ \t]+(?:(-a|--append)[ \t]+)?(\"[^\"]*\"|'[^']*'|\S+)[ \t]*"
)


def written_file(source: str) -> tuple[str, bool, str] | None:
    """Path, whether it is appended to, and content of the file that a cell writes.

    None for a cell that writes none, or not to a plain path below the notebook's folder.
    """
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and lines[0].strip()[:1] in {"", "#"}:
        del lines[0]
    head, body = lines[0] if lines else "", "\n".join(lines[1:])
    match = _HEAD.fullmatch(head.rstrip()) if len(head) < 500 else None  # noqa: PLR2004 - a path
    if match is None:
        return None
    path = plain_path(match[2].strip("\"'").removeprefix("./"))
    if path is None or path.endswith(".ipynb"):
        return None
    return path, bool(match[1]), body if body.endswith("\n") else f"{body}\n"


def written_by(notebook: Notebook) -> dict[str, bytes]:
    """Path in the submission → content of what a notebook writes, as its last cell leaves it."""
    folder = notebook.path.rpartition("/")[0]
    found: dict[str, str] = {}
    for cell in notebook.code:
        if written := written_file(cell.source):
            path, appended, text = written
            whole = f"{folder}/{path}" if folder else path
            found[whole] = found.get(whole, "") + text if appended else text
    return {path: text.encode("utf-8", "replace") for path, text in found.items()}
