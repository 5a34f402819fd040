"""Notebooks with one cell a line: how labelled solutions keep them.

A folded notebook is a notebook, too. A change of one cell is a change of one line.
"""

from __future__ import annotations

import json

__all__ = ["fold", "unfold"]

_FOLDED = b'{\n"'  # Jupyter indents


def fold(data: bytes) -> bytes:
    """Write each cell in one line.

    Returns:
        The folded notebook, or `data` if Jupyter would write the notebook in other bytes, so that
        folding would lose something.
    """
    try:
        notebook = json.loads(data)
    except ValueError:
        return data
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        return data
    entries = ",\n".join(f"{_line(key)}: {_value(key, notebook[key])}" for key in notebook)
    folded = f"{{\n{entries}\n}}\n".encode("utf-8", "surrogatepass")
    return folded if unfold(folded) == data else data


def unfold(data: bytes) -> bytes:
    """Write a folded notebook as Jupyter does; leave all other bytes as they are."""
    if not data.startswith(_FOLDED):
        return data
    text = json.dumps(json.loads(data), indent=1, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def _value(key: str, value: object) -> str:
    if key != "cells" or not isinstance(value, list):
        return _line(value)
    return "[\n" + ",\n".join(map(_line, value)) + "\n]"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
