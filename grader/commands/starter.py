"""``grade starter``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.exercise.contract import load_exercise
from grader.starter import build, deliver

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("starter", "Write the folder that a candidate begins with.")
    made.add_argument("exercise", metavar="EXERCISE", help="its id; see grade list")
    made.add_argument("dest", metavar="DEST", type=Path, help="a new folder")
    made.add_argument(
        "--notebook", action="store_true", help="solution.ipynb in place of the script"
    )
    made.add_argument(
        "--seed",
        metavar="TEXT",
        help="draw the data anew for this text, e.g. the candidate's number",
    )
    made.add_argument(
        "--ai", choices=("with", "without"), help="state that policy on AI assistants"
    )
    made.add_argument("--git", action="store_true", help="a repository with one commit")
    made.add_argument("--zip", action="store_true", help="DEST.zip as well")
    return made


def run(argv: Sequence[str]) -> int:
    """Write a candidate's folder."""
    options = arguments().parse_args(argv)
    exercise = load_exercise(options.exercise, root=checkout(options))
    made = build(exercise, notebook=options.notebook, seed=options.seed, ai=options.ai)
    for path in deliver(made, options.dest, git=options.git, packed=options.zip):
        Console(highlight=False).print(str(path), markup=False, soft_wrap=True)
    return 0
