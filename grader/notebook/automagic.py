"""Line magics that are written without their mark, as IPython's automagic lets people write them.

``pip install x`` is no Python, ``ls`` and ``ls -l`` are. So a word counts as a magic only where the
notebook binds it nowhere, and where what follows it is an argument and no operator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["automagic", "bound_names"]

# Names of IPython's own line magics, and aliases of shell commands that it makes
_SHELL = frozenset(
    {
        *("pip", "pip3", "conda", "mamba", "micromamba", "uv"),
        *("ls", "ll", "lf", "lk", "lx", "ldir", "cd", "cat", "cp", "mv", "rm", "rmdir", "mkdir"),
        *("man", "more", "less", "clear", "cls", "pwd", "pushd", "popd", "dirs"),
    }
)
_MAGICS = _SHELL | {
    *("alias", "alias_magic", "autoawait", "autocall", "automagic", "autoreload", "autosave"),
    *("bookmark", "colors", "config", "debug", "dhist", "doctest_mode", "ed", "edit", "env", "gui"),
    *("hist", "history", "load", "load_ext", "loadpy", "logoff", "logon", "logstart", "logstate"),
    *("logstop", "lsmagic", "macro", "magic", "matplotlib", "notebook", "pastebin", "pdb", "pdef"),
    *("pdoc", "pfile", "pinfo", "pinfo2", "pprint", "precision", "prun", "psearch", "psource"),
    *("pycat", "pylab", "qtconsole", "quickref", "recall", "rehashx", "reload_ext", "rerun"),
    *("reset", "reset_selective", "run", "save", "sc", "set_env", "store", "sx", "system", "tb"),
    *("time", "timeit", "unalias", "unload_ext", "who", "who_ls", "whos", "xdel", "xmode"),
}
_BARE = frozenset(
    {
        *("ls", "ll", "cd", "pwd", "cls", "clear", "dirs", "hist", "history", "lsmagic"),
        *("who", "who_ls", "whos"),
    }
)
_LINE = re.compile(r"([a-z_][a-z_0-9]{1,20})(?:[ \t]+(\S.*))?", re.DOTALL)
_ARGUMENT = re.compile(r"[\w\"'$]")
_SHELL_ARGUMENT = re.compile(r"-{1,2}[A-Za-z]|[/~.*]\S|~$|\.\.?$")
_OPERATORS = re.compile(r"(in|is|and|or|not|if|else|for|as|import)\b")
_WORD = re.compile(r"[A-Za-z_]\w*")
_BINDING = re.compile(
    r"\b(?:def|class|as|for|lambda)[ \t]+([a-z_][a-z_0-9]*)|^[ \t]*([a-z_][a-z_0-9]*)[ \t]*[=,:]|"
    r"\b([a-z_][a-z_0-9]*+)[ \t]*+:?=(?!=)",
    re.MULTILINE,
)
_LINE_CHARS = 500


def automagic(line: str, bound: frozenset[str]) -> tuple[str, str] | None:
    """Name and argument of the magic that a whole line is, or None.

    Args:
        line: without white space around it.
        bound: names that the notebook binds somewhere.
    """
    match = _LINE.fullmatch(line) if len(line) <= _LINE_CHARS else None
    if match is None or match[1] not in _MAGICS or match[1] in bound:
        return None
    name, rest = match[1], match[2] or ""
    if not rest:
        return (name, "") if name in _BARE else None
    argument = _ARGUMENT.match(rest) and not _OPERATORS.match(rest)
    shell = name in _SHELL and _SHELL_ARGUMENT.match(rest)
    return (name, rest) if argument or shell else None


def bound_names(sources: Iterable[str]) -> frozenset[str]:
    """The names of magics that code cells bind to something of their own."""
    found: set[str] = set()
    for source in sources:
        for line in source.split("\n"):
            if len(line) > _LINE_CHARS:
                continue
            if "import" in line:
                found.update(_WORD.findall(line.partition("import")[2]))
            for groups in _BINDING.findall(line):
                found.update(groups)
    return frozenset(found & _MAGICS)
