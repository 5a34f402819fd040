"""What nbformat's own validation says of a notebook that intake has read already.

It decides nothing, so it is asked where hostile text can do no harm, beside the rendering that
needs nbformat anyway.
"""

from __future__ import annotations

import importlib
import json
import warnings
from typing import Any

__all__ = ["departure"]

_VALIDATED_OUTPUTS = 2000


def departure(data: bytes) -> str:
    """How a file departs from its own nbformat, in one line of nbformat's; empty when it conforms.

    Args:
        data: a notebook, of any version that nbformat knows.
    """
    nbformat: Any = importlib.import_module("nbformat")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what it repairs itself
        try:
            nbformat.validate(nbformat.from_dict(_shortened(json.loads(data))))
        except nbformat.ValidationError as error:
            return str(error).partition("\n")[0]
        except Exception as error:  # noqa: BLE001 - it raises all sorts on malformed notebooks
            return type(error).__name__
    return ""


def _shortened(raw: dict[str, Any]) -> dict[str, Any]:
    """Without the outputs beyond the first few thousand, which say nothing new."""
    left = _VALIDATED_OUTPUTS
    for cell in raw.get("cells", ()):
        outputs = cell.get("outputs")
        if isinstance(outputs, list):
            del outputs[left:]
            left -= len(outputs)
    return raw
