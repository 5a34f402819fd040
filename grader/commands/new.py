"""``grade new``: an exercise to start from."""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.authoring.new import KINDS, MARK, new_exercise
from grader.commands._common import checkout, parser
from grader.errors import UsageError
from grader.exercise.contract import SENIORITIES, requirements_of
from grader.exercise.environment import read_packages

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["arguments", "run"]

_TITLE_CHARS = 100
_PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy")


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("new", "Write an exercise that passes grade verify, to be made your own.")
    made.add_argument("id", metavar="ID", help="a short lower-case name, such as ranking_metrics")
    made.add_argument(
        "--kind",
        choices=KINDS,
        default=KINDS[0],
        help="what candidates write; default: function",
    )
    made.add_argument("--title", help="default: the id in words")
    made.add_argument(
        "--minutes", type=_minutes, default=60, help="that a candidate is given; default: 60"
    )
    made.add_argument("--seniority", choices=SENIORITIES, default="mid", help="default: mid")
    return made


def run(argv: Sequence[str]) -> int:
    """Write the folders of a new exercise; they appear whole or not at all."""
    options = arguments().parse_args(argv)
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", options.id):
        raise UsageError(f"{options.id!a} is no id: use a short lower-case name such as week3")
    title = options.title or options.id.replace("_", " ").replace("-", " ").capitalize()
    if "\n" in title or not 1 <= len(title) <= _TITLE_CHARS:
        raise UsageError("--title takes one line of at most 100 characters")
    root = checkout(options)
    tops = ("exercises", "hidden_tests")
    for top in tops:
        if (root / top / options.id).exists():
            raise UsageError(f"{root / top / options.id} exists; choose another id, or remove it")
    files = new_exercise(
        options.id,
        kind=options.kind,
        title=title,
        minutes=options.minutes,
        seniority=options.seniority,
        pins=_pins(root),
    )
    marked = sum(data.count(MARK.encode()) for data in files.values())
    with tempfile.TemporaryDirectory(prefix=".new-", dir=root) as draft:
        for path, data in files.items():
            target = Path(draft) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        for top in tops:
            (root / top).mkdir(exist_ok=True)
            shutil.move(Path(draft) / top / options.id, root / top / options.id)
    console = Console(highlight=False)
    for top in tops:
        console.print(f"{root / top / options.id}", markup=False, soft_wrap=True)
    console.print(
        f"{len(files)} files; {marked} places say {MARK}. Next: grade verify {options.id} "
        f"--mutants, then grep -rn {MARK} exercises/{options.id} hidden_tests/{options.id}",
        markup=False,
        soft_wrap=True,
    )
    return 0


def _minutes(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_080:  # noqa: PLR2004 - as in the contract
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes from 1 to 10080")
    return int(text)


def _pins(root: Path) -> str:
    """The starter's requirements: what the sandbox offers, and pytest for the sample tests."""
    folder = requirements_of(root)
    offered = read_packages(folder / "sandbox.txt")
    judge = read_packages(folder / "judge.txt")
    lines = [f"{name}=={offered[name]}" for name in _PACKAGES if name in offered]
    return "\n".join(
        [
            "# What the grader runs your code with; Python 3.11, 3.12 and 3.13 all install it.",
            *lines,
            "# For the sample tests only.",
            f"pytest=={judge['pytest']}",
            "",
        ]
    )
