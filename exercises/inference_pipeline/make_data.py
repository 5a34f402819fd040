# ruff: noqa: INP001 - a script beside its output
"""Draw another labelled sample for the starter; the model stays the same for all.

    python exercises/inference_pipeline/make_data.py --seed N --out FOLDER

The shipped sample comes from ``make_model.py``, which draws it after the model's training data. The
tickets are drawn by ``hidden_tests/inference_pipeline/tickets.py``: it runs where both folders are.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = ROOT / "hidden_tests" / "inference_pipeline"
sys.path.insert(0, str(HIDDEN))

import reference  # noqa: E402 - found through the line above
import tickets  # noqa: E402 - the same

SAMPLE = 400


def write_right(sample: list[tickets.Ticket], folder: Path) -> None:
    """Write ``right.txt``: on how many tickets of the sample the model gives the label."""
    model = reference.Model.from_files(
        {path.name: path.read_bytes() for path in (HIDDEN / "model").iterdir()}
    )
    best = model.scores(ticket.text for ticket in sample).argmax(axis=1)
    right = sum(model.labels[k] == t.label for k, t in zip(best, sample, strict=True))
    (folder / "right.txt").write_text(f"{right}\n", "utf-8", newline="\n")


def main(arguments: Sequence[str] = ()) -> None:
    """Write ``tickets.csv`` and ``right.txt``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    sample = tickets.draw_tickets(np.random.Generator(np.random.Philox(options.seed)), SAMPLE)
    with (options.out / "tickets.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "label", "language", "channel"))
        writer.writerows((t.text, t.label, t.language, t.channel) for t in sample)
    write_right(sample, options.out)


if __name__ == "__main__":
    main(sys.argv[1:])
