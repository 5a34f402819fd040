"""Reading and checking a model folder."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import os

ENTRIES = frozenset(
    "format_version name version labels temperature min_confidence max_tokens sha256".split()
)


def read_model(
    model_dir: str | os.PathLike[str],
) -> tuple[dict[str, Any], list[str], dict[str, np.ndarray]]:
    """Card, terms and arrays of a model.

    Raises:
        FileNotFoundError: the folder or a file of it is missing.
        ValueError: something in it is damaged, changed, incomplete or of another format.
    """
    folder = Path(model_dir)
    card = _read_card(folder)
    terms = _read_checked(folder, "vocabulary.txt", card).decode("utf-8").splitlines()
    arrays = _parse_arrays(_read_checked(folder, "weights.npz", card))
    k, t = len(card["labels"]), len(terms)
    for name, shape in (("idf", (t,)), ("coefficients", (k, t)), ("intercept", (k,))):
        if arrays[name].shape != shape:
            raise ValueError(f"array {name} has shape {arrays[name].shape}, not {shape}")
    return card, terms, arrays


def _read_card(folder: Path) -> dict[str, Any]:
    card = json.loads((folder / "card.json").read_bytes())
    if not isinstance(card, dict) or not ENTRIES.issubset(card):
        raise ValueError("card.json is incomplete")
    if card["format_version"] != 1:
        raise ValueError(f"card.json is of format {card['format_version']}")
    return card


def _read_checked(folder: Path, name: str, card: dict[str, Any]) -> bytes:
    data = (folder / name).read_bytes()
    found, expected = hashlib.sha256(data).hexdigest(), card["sha256"].get(name)
    if found != expected:
        raise ValueError(f"{name} has checksum {found[:12]}, the card says {expected}")
    return data


def _parse_arrays(data: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in ("idf", "coefficients", "intercept")}
    except Exception as error:
        raise ValueError("weights.npz holds no readable arrays") from error
