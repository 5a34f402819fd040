"""Notebooks to test with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PNG", "code", "notebook", "text"]

# one transparent pixel
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJ"
    "RU5ErkJggg=="
)


def code(source: str, count: int | None = None, *outputs: Mapping[str, Any]) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "execution_count": count,
        "outputs": list(outputs),
    }


def text(source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def notebook(*cells: Mapping[str, Any] | str, **changes: object) -> bytes:
    """A notebook of nbformat 4; a string is a code cell, and ``key=None`` leaves a key out."""
    found: Sequence[Mapping[str, Any]] = [
        code(cell) if isinstance(cell, str) else cell for cell in cells
    ]
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": found, **changes}
    return json.dumps({k: v for k, v in whole.items() if v is not None}).encode()
