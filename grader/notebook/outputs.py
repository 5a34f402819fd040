"""Outputs of cells, stored or fresh, reduced to bounded text and pictures of known kinds.

Both come from a candidate: one in the notebook's file, one over the wire from its process. What
passes here is still a candidate's, but it is small, and of the types that it says.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.models import Output

__all__ = ["Allowance", "clean_outputs", "clean_text"]

_TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex")
_PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_TEXT_CHARS = 64_000
_PICTURE_CHARS = 2 << 20
_OUTPUTS_A_CELL = 60
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass
class Allowance:
    """How much one notebook's outputs may hold in all.

    Attributes:
        chars: what is left.
        cut: numbers of the cells that lost something.
    """

    chars: int = 8 << 20
    cut: set[int] = field(default_factory=set)


def clean_text(value: object) -> str | None:
    """A text, or a list of texts to be joined; None for anything else."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "".join(value)
    if not isinstance(value, str):
        return None
    return _SURROGATE.sub("\ufffd", value)


def clean_outputs(values: object, number: int, allowance: Allowance) -> tuple[Output, ...]:
    """All outputs of one cell that are of a known form."""
    if not isinstance(values, list):
        return ()
    if len(values) > _OUTPUTS_A_CELL:
        allowance.cut.add(number)
    found = (_clean_output(value, number, allowance) for value in values[:_OUTPUTS_A_CELL])
    return tuple(output for output in found if output is not None)


def _clean_output(value: object, number: int, allowance: Allowance) -> Output | None:
    """One output as nbformat 4 has it, or None where nothing of it is known."""
    if not isinstance(value, dict):
        return None
    kind = value.get("output_type")
    if not isinstance(kind, str):
        return None
    if kind == "stream":
        text = _bounded(clean_text(value.get("text")), number, allowance)
        name = "stderr" if value.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": text} if text else None
    if kind == "error":
        said = [_bounded(clean_text(value.get(key)), number, allowance) for key in _ERROR_KEYS]
        lines = value.get("traceback")
        trace = lines[:40] if isinstance(lines, list) else []
        told = "\n".join(line for line in trace if isinstance(line, str))
        text = _bounded(clean_text(told), number, allowance) or ""
        named = dict(zip(_ERROR_KEYS, (item or "" for item in said), strict=True))
        return {"output_type": kind, **named, "traceback": text.split("\n")}
    if kind in {"display_data", "execute_result"}:
        data = _bundle(value.get("data"), number, allowance)
        if not data:
            return None
        output: Output = {"output_type": kind, "data": data, "metadata": {}}
        if kind == "execute_result":
            output["execution_count"] = number
        return output
    return None


_ERROR_KEYS = ("ename", "evalue")


def _bundle(value: object, number: int, allowance: Allowance) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    found = {}
    for mime in _TEXTS:
        text = _bounded(clean_text(value.get(mime)), number, allowance)
        if text:
            found[mime] = text
    for mime, signature in _PICTURES.items():
        picture = clean_text(value.get(mime))
        if picture is None:
            continue
        packed = "".join(picture.split())
        if len(packed) > min(_PICTURE_CHARS, allowance.chars):
            allowance.cut.add(number)
        elif _is_picture(packed, signature):
            allowance.chars -= len(packed)
            found[mime] = packed
    return found


def _is_picture(packed: str, signature: bytes) -> bool:
    try:
        return base64.b64decode(packed, validate=True).startswith(signature)
    except (binascii.Error, ValueError):
        return False


def _bounded(text: str | None, number: int, allowance: Allowance) -> str | None:
    if text is None:
        return None
    most = min(_TEXT_CHARS, allowance.chars)
    if len(text) > most:
        allowance.cut.add(number)
        text = text[:most]
    allowance.chars -= len(text)
    return text
