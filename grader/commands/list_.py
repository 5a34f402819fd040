"""``grade list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.exercise.contract import list_exercises

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    return parser("list", "List the exercises of a checkout.")


def run(argv: Sequence[str]) -> int:
    """Print one line for each exercise."""
    options = arguments().parse_args(argv)
    console = Console(highlight=False)
    for exercise in list_exercises(checkout(options)):
        console.print(
            f"{exercise.id}  {exercise.version}  {exercise.title} "
            f"({exercise.minutes} minutes, {exercise.seniority})",
            markup=False,
            soft_wrap=True,
        )
    return 0
