"""The console that results go to: a terminal, or a file that somebody reads later."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from rich.console import Console

__all__ = ["printer"]

_PIPED_WIDTH = 110


class _Stripped:
    """Standard output without spaces at the ends of lines."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        self._file.writelines(f"{line.rstrip(' ')}\n" for line in lines)
        return len(text)

    def flush(self) -> None:
        self._file.write(self._rest)
        self._rest = ""
        self._file.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def printer() -> Console:
    """A console for standard output.

    Where that is no terminal, lines are 110 characters wide unless ``COLUMNS`` says otherwise, and
    end without spaces.
    """
    console = Console(highlight=False)
    if console.is_terminal:
        return console
    width = None if os.environ.get("COLUMNS") else _PIPED_WIDTH
    stripped: TextIO = _Stripped(sys.stdout)  # type: ignore[assignment]
    return Console(highlight=False, file=stripped, width=width)
