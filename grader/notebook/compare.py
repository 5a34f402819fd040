"""Whether the outputs that a notebook was saved with are those of a fresh run.

Only what a rerun should repeat is compared: printed text and shown values, with addresses
scrubbed and numbers equal to six digits, and how many pictures there are. Warnings, times and
the pixels of pictures may differ.
"""

from __future__ import annotations

import math
import re
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grader.models import Cell, Output

__all__ = ["gist", "same"]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,16}")
_TOKEN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\S")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TIMED = re.compile(r"(CPU times|Wall time)\b|\bper loop\b")
_CLOSE = 1e-6


def same(cell: Cell, fresh: Iterable[Output]) -> bool:
    """True when a cell's stored outputs are those of the fresh run, or say nothing."""
    if cell.count is None or not cell.outputs or cell.timed:
        return True
    return _alike(gist(cell.outputs), gist(fresh))


def gist(outputs: Iterable[Output]) -> str:
    """What outputs say, as text: printed lines, shown values, pictures and errors by name."""
    parts = []
    for output in outputs:
        kind, data = output["output_type"], output.get("data")
        if kind == "stream" and output["name"] == "stdout":
            parts.append(str(output["text"]))
        elif kind == "error":
            parts.append(f"[{output['ename']}]\n")
        elif isinstance(data, dict):
            picture = next((mime for mime in data if mime.startswith("image/")), "")
            said = data.get("text/plain") or next(iter(data.values()))
            parts.append(f"[{picture}]\n" if picture else f"{said}\n")
    lines = "".join(parts).split("\n")
    return _ADDRESS.sub("0x…", "\n".join(line for line in lines if not _TIMED.search(line)))


def _alike(stored: str, fresh: str) -> bool:
    if stored == fresh:
        return True
    pairs: Iterable[Sequence[str]] = zip_longest(
        _TOKEN.findall(stored), _TOKEN.findall(fresh), fillvalue=""
    )
    return all(a == b or _close(a, b) for a, b in pairs)


def _close(a: str, b: str) -> bool:
    if not _NUMBER.fullmatch(a) or not _NUMBER.fullmatch(b):
        return False
    return math.isclose(float(a), float(b), rel_tol=_CLOSE, abs_tol=1e-12)
