"""What subcommands share: the parser with ``--root``, the checkout, argument types."""

from __future__ import annotations

import argparse
from pathlib import Path

from grader.exercise.contract import project_root

__all__ = ["checkout", "count", "parser", "score"]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser for ``grade NAME`` that knows ``--root``."""
    made = argparse.ArgumentParser(prog=f"grade {name}", description=description)
    made.add_argument("--root", metavar="DIR", type=Path, help="checkout with the exercises")
    return made


def checkout(options: argparse.Namespace) -> Path:
    """The folder that ``--root`` names, or the checkout of this package."""
    return Path(options.root) if options.root else project_root()


def score(text: str) -> float:
    """An argument on the rubric's scale."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 1.0 <= value <= 4.0:  # noqa: PLR2004 - the scale of the rubric
        raise argparse.ArgumentTypeError(f"{text!r} is no score between 1 and 4")
    return value


def count(text: str) -> int:
    """An argument that counts submissions graded side by side."""
    if not text.isdigit() or not 1 <= int(text) <= 64:  # noqa: PLR2004 - user ids are kept apart
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 1 and 64")
    return int(text)
