"""Mutation operators for text: regular expressions, and words that stand in for what they match."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from grader.authoring.mutation.operators import with_field
from grader.authoring.mutation.source import Change, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.authoring.mutation.source import Source

__all__ = ["TEXT"]

_FLAGS_AT = {
    "compile": 1, "match": 2, "fullmatch": 2, "search": 2, "findall": 2, "finditer": 2,
    "split": 3, "sub": 4, "subn": 4,
}  # fmt: skip
_PARTS = re.compile(
    r"""
    (?P<edge>\\[bBAZ] | \^ | \$)
    | (?P<escape>\\.)
    | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<look>\(\?<?[=!])
    | (?P<open>\((?:\?(?:P<\w+>|[a-zA-Z-]*:|>))?)
    | (?P<inline>\(\?(?:[a-zA-Z]+|P=\w+|\#[^)]*)\))
    | (?P<close>\))
    | (?P<times>(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})[?+]?)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def pattern(source: Source, node: ast.AST) -> Iterator[Change]:
    r"""A regular expression without a quantifier, an edge such as ``\b``, or a look beside."""
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if not _is_of_re(node) or not isinstance(first, ast.Constant):
        return
    if isinstance(first.value, str):
        for shorter in _shorter(first.value):
            text = repr(shorter) if '"' in shorter or "\n" in shorter else f'r"{shorter}"'
            edit = Edit(*source.span(first), text)
            yield Change("pattern", first, ast.Constant(shorter), (edit,))


def _is_of_re(node: ast.AST) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in _FLAGS_AT
    )


def _shorter(expression: str) -> Iterator[str]:
    """The expression without one part each, as far as that is an expression."""
    parts = list(_PARTS.finditer(expression))
    for index, part in enumerate(parts):
        end = part.end()
        if part.lastgroup == "look":
            end = _closed(parts, index)
        elif part.lastgroup not in {"edge", "times"}:
            continue
        shorter = expression[: part.start()] + expression[end:]
        try:
            re.compile(shorter)
        except re.error:
            continue
        yield shorter


def _closed(parts: list[re.Match[str]], index: int) -> int:
    """Where the group that begins at a part ends."""
    depth = 0
    for part in parts[index:]:
        depth += part.lastgroup in {"look", "open"}
        depth -= part.lastgroup == "close"
        if not depth:
            return part.end()
    return parts[-1].end()


def flag(source: Source, node: ast.AST) -> Iterator[Change]:
    """The flags of a regular expression dropped; those with a keyword are the keywords' matter."""
    if not isinstance(node, ast.Call) or not _is_of_re(node):
        return
    at = _FLAGS_AT[getattr(node.func, "attr", "")]
    if len(node.args) == at + 1:
        edit = Edit(source.span(node.args[at - 1])[1], source.span(node.args[at])[1], "")
        yield Change("flag", node, with_field(node, args=node.args[:at]), (edit,))


def blank(source: Source, node: ast.AST) -> Iterator[Change]:
    """The white space at one end of a text dropped, which makes one word of two."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    parent, field, _ = source.parents[node]
    argument = isinstance(parent, ast.Call) and field == "args"
    if not argument and not (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add)):
        return
    for shorter in dict.fromkeys((node.value.lstrip(), node.value.rstrip())):
        if shorter != node.value:
            edit = Edit(*source.span(node), repr(shorter))
            yield Change("blank", node, ast.Constant(shorter), (edit,))


TEXT = (pattern, flag, blank)
