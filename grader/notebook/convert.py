"""A script as a notebook, and a notebook as a script. For sources of our own, not a candidate's.

The notebook has the module's docstring as its first text, and then one cell for each definition,
with a heading above it, and one for what stands between definitions. Nothing is rewritten, so
both forms hold the same code in the same order.
"""

from __future__ import annotations

import ast
import importlib
import json
from typing import TYPE_CHECKING, Any

from grader.text import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.models import Notebook

__all__ = ["code_cells_of", "notebook_of", "script_of"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def notebook_of(source: str, title: str) -> bytes:
    """Convert a script.

    Args:
        source: a Python module.
        title: heads the notebook.

    Returns:
        The file's bytes, nbformat 4, without outputs and execution counts; the same for the same
        arguments.

    Raises:
        SyntaxError: the source is no Python.
    """
    nbformat: Any = importlib.import_module("nbformat")  # untyped, and slow to import
    tree = syntax_tree(source)
    told = ast.get_docstring(tree) or ""
    cells = [nbformat.v4.new_markdown_cell(f"# {title}\n\n{told}".strip())]
    for text, heading in _pieces(tree, source):
        if heading:
            cells.append(nbformat.v4.new_markdown_cell(heading))
        cells.append(nbformat.v4.new_code_cell(text))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # nbformat draws them at random
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": python, "language_info": {"name": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def code_cells_of(source: str) -> list[str]:
    """The code cells of `notebook_of` alone, which takes no nbformat.

    Raises:
        SyntaxError: the source is no Python.
    """
    return [text for text, _ in _pieces(syntax_tree(source), source)]


def script_of(notebook: Notebook) -> str:
    """Convert a notebook: its code, without magics, and its texts as comments."""
    parts = []
    for cell in notebook.cells:
        if cell.kind == "code":
            parts.append(cell.plain.strip("\n"))
        else:
            lines = cell.source.strip().splitlines()
            parts.append("\n".join(f"# {line}".rstrip() for line in lines))
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _pieces(tree: ast.Module, source: str) -> Iterator[tuple[str, str]]:
    """Text and heading of each cell; comments stay with the statement below them."""
    lines = source.splitlines()
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    begin = (tree.body[0].end_lineno or 0) if len(body) < len(tree.body) else 0
    loose_from = begin
    for node in body:
        if not isinstance(node, _DEFINITIONS):
            begin = node.end_lineno or begin
            continue
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
        while first > begin and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        yield from _cell(lines[loose_from:first], "")
        begin = loose_from = node.end_lineno or begin
        yield from _cell(lines[first:begin], _heading(node))
    yield from _cell(lines[loose_from:], "")


def _cell(lines: list[str], heading: str) -> Iterator[tuple[str, str]]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield text, heading


def _heading(node: ast.stmt) -> str:
    if not isinstance(node, _DEFINITIONS):
        return ""
    told = (ast.get_docstring(node) or "").partition("\n")[0]
    return f"## {node.name.strip('_')}\n\n{told}".strip()
