# ruff: noqa: INP001 - a script beside its output
"""Draw payments for the starter: the shipped ones, or with a seed others of the same kind.

    python exercises/leakage_debug/make_data.py [--seed N] [--out FOLDER]

The payments are drawn by ``hidden_tests/leakage_debug/data.py``: it runs where both folders are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "hidden_tests" / "leakage_debug"))

import data  # noqa: E402 - found through the line above

CARDS = 260


def main(arguments: Sequence[str] = ()) -> None:
    """Write ``payments.csv``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=data.SHIPPED_SEED)
    parser.add_argument("--out", type=Path, default=data.OUT)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    frame = data.World.draw(rng).payments(rng, CARDS)
    path = options.out / "payments.csv"
    frame.to_csv(path, date_format="%Y-%m-%d %H:%M", lineterminator="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
