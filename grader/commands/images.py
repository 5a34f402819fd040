"""``grade images``: build the sandbox images, and remove those that nothing needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.errors import UsageError
from grader.exercise.contract import list_exercises, load_exercise
from grader.record.binding import BINDING
from grader.sandbox.prune import prune
from grader.sandbox.workbench import Workbench

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]

_ROLES = ("judge_image", "candidate_image", "analyst_image")


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("images", "Build the sandbox images unless they are there.")
    made.add_argument("--exercise", metavar="ID", help="for this exercise only")
    made.add_argument(
        "--prune",
        action="store_true",
        help="then remove the images of older sources and locks that no result names",
    )
    made.add_argument(
        "--results",
        metavar="DIR",
        type=Path,
        action="append",
        help="with --prune: folders of results whose images are kept (default: results)",
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Build what is missing and print the images' ids."""
    options = arguments().parse_args(argv)
    root = checkout(options)
    exercises = (
        (load_exercise(options.exercise, root=root),) if options.exercise else list_exercises(root)
    )
    console = Console(stderr=True, highlight=False)
    bench = Workbench(lambda text: console.print(f"· {text}", markup=False, soft_wrap=True))
    kept = set()
    for exercise in exercises:
        images = bench.images_for(exercise)
        kept |= {images.candidate, images.judge, images.analyst}
        console.print(
            f"{exercise.id}: Python {exercise.environment.python}, "
            f"candidate {images.candidate[7:19]}, judge {images.judge[7:19]}, "
            f"analyst {images.analyst[7:19]}",
            markup=False,
            soft_wrap=True,
        )
    if options.prune:
        if options.exercise:
            raise UsageError("--prune looks at every exercise; leave out --exercise")
        kept |= _named_by(options.results or [Path("results")], strict=bool(options.results))
        pruned = prune(bench.engine, kept)
        freed = pruned.freed / 1e9
        console.print(f"removed {pruned.count} images and {freed:.1f} GB", markup=False)
    return 0


def _named_by(folders: list[Path], *, strict: bool) -> set[str]:
    """The images that results below some folders were made with."""
    found: set[str] = set()
    for folder in folders:
        if strict and not folder.is_dir():
            raise UsageError(f"{folder} is no folder; --results takes a folder of results")
        for path in folder.rglob(BINDING):
            try:
                body = json.loads(path.read_text("utf-8"))
                found |= {str(body[role]) for role in _ROLES}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"{path} does not say which images it needs ({error}); nothing was removed. "
                    "Move that result away, or mend it"
                ) from error
    return found
