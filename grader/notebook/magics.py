"""Cell sources with IPython's additions taken out: what is left is Python, line for line.

One text is both run and reviewed, so no magic can run what a reviewer's tools do not see. What
only shows or times something gives way to the code it applies to; what would reach beyond the
notebook (shell escapes, installers, other files) does nothing, and a note says so.

A magic is known by its place, at the start of a logical line, where its mark is no Python. So a
scanner of strings, comments and brackets is all that is needed.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from grader.notebook.automagic import automagic
from grader.notebook.written import written_file

__all__ = ["Plain", "plain_source"]

_HARMLESS = frozenset(
    {
        *("matplotlib", "load_ext", "reload_ext", "autoreload", "config", "precision"),
        *("who", "whos", "pwd", "xmode", "colors"),
    }
)
_TIMING = frozenset(["time", "timeit"])
_APPLIED = _TIMING | {"capture", "prun"}  # cell magics whose body is Python that runs
_SHOWN = frozenset(["html", "HTML", "markdown", "latex", "svg", "SVG"])
_NAME = r"[A-Za-z_][A-Za-z0-9_.]{0,30}"
_CELL_MAGIC = re.compile(rf"%%({_NAME}|!)")
# Other products begin a cell of another language with one mark, alone or before the text.
_OTHER_LANGUAGE = re.compile(r"%(md|md-sandbox|sh|fs|scala|r|R|sql)(?=\s|$)")
_SQL = re.compile(
    r"\s*(select|from|where|group|order|join|left|inner|with|limit|having|union|create|insert|"
    r"update|delete|drop|alter|describe|show|use|on|and|or|as|set|values|--|[(),;*])",
    re.IGNORECASE,
)
_LINE_MAGIC = re.compile(rf"%({_NAME})[ \t]*(.*)", re.DOTALL)
_TARGET = re.compile(r"[A-Za-z_][\w.,\[\]'\" *]*")
_HELP = re.compile(r"\s*(\?{1,2}[\w.*%]+|%{0,2}[A-Za-z_][\w.*]*\?{1,2})\s*")
_OPTIONS = re.compile(r"(-(n|r|t|c|p|q|o|v)\s*\d*\s+)+")
_LINE_CHARS = 2000  # of a line that may hold a magic; patterns stay cheap
_DEEPEST = 200  # brackets; Python's own parser gives up there
_MARKS = re.compile(r"#|\"\"\"|'''|[\"'()\[\]{}]|\\\Z")
_ENDS = {quote: re.compile(rf"\\.|{quote}", re.DOTALL) for quote in ('"""', "'''", '"', "'")}


@dataclass(frozen=True, slots=True)
class Plain:
    """The Python of one cell.

    Attributes:
        text: with as many lines as the source.
        notes: what does nothing here, as ``!ls``-like marks and names of magics.
        timed: a magic asked for times.
    """

    text: str
    notes: tuple[str, ...] = ()
    timed: bool = False


def plain_source(source: str, bound: frozenset[str] = frozenset()) -> Plain:
    """Take magics, shell escapes and help requests out of one code cell.

    Args:
        source: of the cell.
        bound: names of magics that the notebook binds to something of its own.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    work = _Work(bound)
    lines = source.split("\n")
    # Comments stand above a cell magic in other products than Jupyter.
    code = next((n for n, line in enumerate(lines) if line.strip()[:1] not in ("", "#")), 0)
    if other := _other_language(lines, code):
        return Plain("\n" * source.count("\n"), (other,))
    while match := _CELL_MAGIC.match(lines[code]):  # one may stand below another
        name = match[1]
        if name not in _APPLIED:
            if name not in _SHOWN and not written_file("\n".join(lines[code:])):
                work.inert.append(f"%%{name}")
            return Plain("\n" * source.count("\n"), tuple(work.inert))
        work.timed = work.timed or name in _TIMING
        lines[code] = ""
        code = next((n for n in range(code, len(lines)) if lines[n].strip()), code)
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines[first][:1] in (" ", "\t"):
        lines = textwrap.dedent("\n".join(lines)).split("\n")
    text = "\n".join(work.line(line) for line in lines)
    return Plain(text, tuple(dict.fromkeys(work.inert)), work.timed)


def _other_language(lines: list[str], first: int) -> str:
    """The mark of a cell of another language, as Databricks has them; empty for Python."""
    match = _OTHER_LANGUAGE.match(lines[first])
    if match is None:
        return ""
    rest = [line for line in lines[first + 1 :] if line.strip()]
    alone = lines[first].strip() == match[0]
    # %sql with its text in one line is a line magic of Jupyter too; Python may stand below it.
    if match[1] == "sql" and not alone and rest and not all(_SQL.match(line) for line in rest):
        return ""
    return match[0]


@dataclass
class _Work:
    """The scanner's place: inside which quotes and how many brackets, and what it met."""

    bound: frozenset[str] = frozenset()
    quote: str = ""
    depth: int = 0
    continued: bool = False
    dropping: bool = False  # a magic goes on behind a backslash
    timed: bool = False
    inert: list[str] = field(default_factory=list)

    def line(self, line: str) -> str:
        if self.dropping:
            self.dropping = line.rstrip().endswith("\\")
            return ""
        if not self.quote and not self.depth and not self.continued:
            replaced = self._replaced(line)
            if replaced is not None:
                if replaced.strip() in {"", "pass"} or replaced.endswith(("= None", "= []")):
                    self.dropping = line.rstrip().endswith("\\")
                    return replaced
                line = replaced
        self._scan(line)
        return line

    def _replaced(self, line: str) -> str | None:
        """What stands in place of a line that is no Python; None for one that is."""
        if len(line) > _LINE_CHARS:
            return None
        text = line.strip()
        indent = line[: len(line) - len(line.lstrip())]
        nothing = f"{indent}pass" if indent else ""
        if not text:
            return None
        if _HELP.fullmatch(line):
            return nothing
        if text.startswith("!"):
            self.inert.append("!")
            return nothing
        if match := _LINE_MAGIC.match(text):
            left = self._magic(match[1], match[2])
            return nothing if left is None else f"{indent}{left}"
        if not indent and (found := automagic(text, self.bound)):
            return self._magic(*found) or nothing
        # Not by one pattern: with several gaps in it, many spaces would take it long.
        head, _, value = line.partition("=")
        target, value = head.strip(), value.lstrip()
        if value[:1] not in {"!", "%"} or not _TARGET.fullmatch(target):
            return None
        if value[0] == "!":
            self.inert.append("!")
            return f"{indent}{target} = []"
        inner = _LINE_MAGIC.match(value)
        left = self._magic(inner[1], inner[2]) if inner else None
        return f"{indent}{target} = {left if left and inner and inner[1] == 'time' else None}"

    def _magic(self, name: str, rest: str) -> str | None:
        """The statement that a line magic applies to, if any."""
        if name in _TIMING:
            self.timed = True
            return _OPTIONS.sub("", rest, count=1) or None
        if name not in _HARMLESS:
            self.inert.append(f"%{name}")
        return None

    def _scan(self, line: str) -> None:
        """Follow strings, comments and brackets to the end of a line."""
        place = 0
        self.continued = False
        while (self.quote or place < len(line)) and self.depth <= _DEEPEST:
            if self.quote:
                place = self._inside(line, place)
                if self.quote:
                    break
            match = _MARKS.search(line, place)
            if match is None or match[0] == "#":
                break
            place = match.end()
            if match[0] in _ENDS:
                self.quote = match[0]
            elif match[0] == "\\":
                self.continued = True
            else:
                self.depth = max(self.depth + (1 if match[0] in "([{" else -1), 0)
        if len(self.quote) == 1:  # an unfinished string; only a backslash carries it on
            self.quote = self.quote if line.endswith("\\") else ""

    def _inside(self, line: str, place: int) -> int:
        """The place behind the closing quotes; at the end of the line they are still open."""
        for match in _ENDS[self.quote].finditer(line, place):
            if match[0] == self.quote:
                self.quote = ""
                return match.end()
        return len(line)
