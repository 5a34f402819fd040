"""A script as a notebook: the docstring as text, then a cell for each top-level statement group."""

from __future__ import annotations

import ast
import json
from itertools import pairwise

__all__ = ["notebook_of"]


def notebook_of(source: str, title: str) -> bytes:
    """Convert a script of ours; the code stays the same and in the same order.

    Args:
        source: a Python module.
        title: heads the notebook.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    told = ast.get_docstring(tree) or ""
    begin = (tree.body[0].end_lineno or 0) if told else 0
    starts = [begin]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            starts.append(min(item.lineno for item in (node, *node.decorator_list)) - 1)
            starts.append(node.end_lineno or node.lineno)
    starts.append(len(lines))
    texts = ["\n".join(lines[first:last]).strip("\n") for first, last in pairwise(starts)]
    cells = [_cell("markdown", f"# {title}\n\n{told}".strip(), 0)]
    cells += [_cell("code", text, n) for n, text in enumerate((t for t in texts if t.strip()), 1)]
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _cell(kind: str, text: str, number: int) -> dict[str, object]:
    cell: dict[str, object] = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
