"""What sources of a candidate define, as far as their syntax trees say.

The trees are made in a short-lived process with limits (`grader.notebook._shape`), because a
parser can be brought down by what it reads. What cannot be parsed there is looked at by the
beginnings of its lines.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Shape", "shapes_of"]

_PROGRAM = Path(__file__).with_name("_shape.py")
_SECONDS = 20
_SOURCE_CHARS = 1 << 19  # of one source that is parsed
_ALL_CHARS = 1 << 22  # of all that are parsed together
_LINE_CHARS = 500  # no definition begins on a longer line, and patterns stay cheap
_IMPORTING = re.compile(r"^(?:from\b[^\n]*?)?import\b", re.MULTILINE)
_BRACKET = re.compile(r" *\(")
_BRACKET_CHARS = 1000  # of the names in the brackets behind an import


@dataclass(frozen=True, slots=True)
class Shape:
    """One source.

    Attributes:
        bound: the asked names that it binds at its top level.
        real: those of them that are bound to more than a stub.
        borrowed: an asked name comes from another file than the exercise's.
        shell: it calls IPython at its top level, which only a notebook can.
        functions: digests of its implemented functions and classes, docstrings aside.
        assigned: digests of its assignments.
        code: digests of its statements, imports and calls of IPython aside.
        problem: where the parser gave up, as ``line 3``; empty where it did not.
    """

    bound: frozenset[str] = frozenset()
    real: frozenset[str] = frozenset()
    borrowed: bool = False
    shell: bool = False
    functions: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    code: frozenset[str] = frozenset()
    problem: str = ""

    def work_beyond(self, starter: Shape) -> frozenset[str]:
        """The asked names that are implemented here; none where all that is here was handed out."""
        own = (
            self.borrowed or self.functions - starter.functions or self.assigned - starter.assigned
        )
        return self.real if own or self.problem else frozenset()

    def same_as(self, other: Shape) -> bool:
        """Whether two sources hold the same functions and no constants that differ."""
        whole = not self.problem and not other.problem and self.functions
        return bool(whole and self.functions == other.functions and self.assigned <= other.assigned)


def shapes_of(
    sources: Sequence[Sequence[str]], names: Iterable[str], entry: str
) -> tuple[Shape, ...]:
    """Look at sources, each a list of cells or one module's text.

    Args:
        sources: Python, magics taken out.
        names: what the exercise asks for.
        entry: the module name of the exercise's own file; what is imported from it is not
            implemented by the importer.
    """
    wanted = list(names)
    left = _ALL_CHARS
    asked: list[list[str]] = []
    for cells in sources:
        size = sum(map(len, cells))
        small = size <= min(_SOURCE_CHARS, left)
        left -= size if small else 0
        asked.append(list(cells) if small else [])
    told = _parsed(asked, wanted, entry)
    return tuple(
        _by_lines(cells, wanted)
        if item is None or (cells and not given)
        else _shape(item, cells, wanted)
        for item, cells, given in zip(told, sources, asked, strict=True)
    )


def _parsed(sources: list[list[str]], names: list[str], entry: str) -> list[dict[str, Any] | None]:
    nothing: list[dict[str, Any] | None] = [None] * len(sources)
    request = json.dumps({"sources": sources, "names": names, "entry": entry})
    try:
        done = subprocess.run(  # noqa: S603 - our own program, fixed arguments
            [sys.executable, "-I", "-S", str(_PROGRAM)],
            input=request.encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_SECONDS,
            env={"PYTHONHASHSEED": "0"},
        )
        told = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, subprocess.SubprocessError, ValueError, RecursionError):
        return nothing
    return told if isinstance(told, list) and len(told) == len(sources) else nothing


def _shape(told: dict[str, Any], cells: Sequence[str], names: list[str]) -> Shape:
    real = {name for name, is_real in told["real"].items() if is_real}
    bound = set(told["real"])
    for number in told["broken"]:
        found = _bound_by_lines(cells[number], names) - bound
        bound |= found
        real |= found
    return Shape(
        bound=frozenset(bound),
        real=frozenset(real),
        borrowed=told["borrowed"],
        shell=told["shell"],
        functions=frozenset(told["functions"]),
        assigned=frozenset(told["assigned"]),
        code=frozenset(told["code"]),
        problem=told["problem"],
    )


def _by_lines(cells: Sequence[str], names: list[str]) -> Shape:
    found = frozenset(_bound_by_lines("\n".join(cells), names))
    return Shape(bound=found, real=found, problem="line 1" if any(cells) else "")


def _bound_by_lines(text: str, names: Iterable[str]) -> set[str]:
    """Which of some names a line at the left margin binds."""
    text = "\n".join(line for line in text.split("\n") if len(line) <= _LINE_CHARS)
    imported = list(_imports(text))
    return {
        name
        for name in names
        if re.search(
            rf"^(?:(?:async +)?def +{name}\b|class +{name}\b|(?:\w+ *[,=] *)*{name} *[,:=])",
            text,
            re.MULTILINE,
        )
        or _within(imported, [match.start() for match in re.finditer(rf"\b{name}\b", text)])
    }


def _imports(text: str) -> Iterator[tuple[int, int]]:
    """From where to where import statements name what they bind.

    By hand: one pattern for all of it tries every "import" of a line with every name.
    """
    for line in _IMPORTING.finditer(text):
        end = text.find("\n", line.end())
        yield line.end(), len(text) if end < 0 else end
        if bracket := _BRACKET.match(text, line.end()):
            start = bracket.end()
            close = text.find(")", start, start + _BRACKET_CHARS)
            yield start, start + _BRACKET_CHARS if close < 0 else close


def _within(spans: Iterable[tuple[int, int]], places: Sequence[int]) -> bool:
    """Whether one of some places, in order, is in one of some spans."""
    return any(bisect_left(places, begin) < bisect_left(places, end) for begin, end in spans)
