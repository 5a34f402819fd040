"""``grade starter``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.exercise.contract import load_exercise
from grader.starter import build, deliver

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run"]


def run(argv: Sequence[str]) -> int:
    """Write a candidate's folder."""
    arguments = parser("starter", "Write the folder that a candidate begins with.")
    arguments.add_argument("exercise", metavar="EXERCISE", help="its id; see grade list")
    arguments.add_argument("dest", metavar="DEST", type=Path, help="a new folder")
    arguments.add_argument(
        "--notebook", action="store_true", help="solution.ipynb in place of the script"
    )
    arguments.add_argument(
        "--seed",
        metavar="TEXT",
        help="draw the data anew for this text, e.g. the candidate's number",
    )
    arguments.add_argument(
        "--ai", choices=("with", "without"), help="state that policy on AI assistants"
    )
    arguments.add_argument("--git", action="store_true", help="a repository with one commit")
    arguments.add_argument("--zip", action="store_true", help="DEST.zip as well")
    options = arguments.parse_args(argv)
    exercise = load_exercise(options.exercise, root=checkout(options))
    made = build(exercise, notebook=options.notebook, seed=options.seed, ai=options.ai)
    for path in deliver(made, options.dest, git=options.git, packed=options.zip):
        Console(highlight=False).print(str(path), markup=False, soft_wrap=True)
    return 0
