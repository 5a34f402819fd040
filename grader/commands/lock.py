"""``grade lock``: pin what an exercise's submissions can import beyond the base set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from grader.authoring.lock import input_of, lock
from grader.commands._common import checkout, parser
from grader.exercise.contract import load_exercise
from grader.exercise.environment import LOCK

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("lock", "Resolve an exercise's requirements to pinned wheels with their hashes.")
    made.add_argument("exercise", metavar="EXERCISE")
    return made


def run(argv: Sequence[str]) -> int:
    """Resolve, write the lock, and say what changed."""
    options = arguments().parse_args(argv)
    exercise = load_exercise(options.exercise, root=checkout(options))
    console, progress = Console(highlight=False), Console(stderr=True, highlight=False)

    def say(text: str) -> None:
        progress.print(f"· {text}", markup=False, soft_wrap=True)

    locked = lock(exercise, input_of(exercise), say)
    for warning in locked.warnings:
        progress.print(f"grade: warning: {warning}", markup=False, soft_wrap=True)
    for line in locked.changes:
        console.print(line, markup=False, soft_wrap=True)
    where, count = exercise.public_dir / LOCK, len(locked.packages)
    told = f"{len(locked.changes)} changed" if locked.changes else "nothing changed"
    console.print(f"{where}: packages: {count}; {told}", markup=False, soft_wrap=True)
    return 0
