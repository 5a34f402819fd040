"""``grade import-classroom``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.authoring.legacy import read_legacy, skeleton
from grader.commands._common import checkout, parser
from grader.errors import UsageError
from grader.files import write_whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser(
        "import-classroom", "Make the skeleton of an exercise from GitHub Classroom's tests."
    )
    made.add_argument(
        "file", metavar="FILE", type=Path, help="autograding.json or a workflow (classroom.yml)"
    )
    made.add_argument("id", metavar="ID", help="of the new exercise")
    made.add_argument("--title", default="Imported exercise")
    return made


def run(argv: Sequence[str]) -> int:
    """Write the skeleton of an exercise from Classroom's tests."""
    options = arguments().parse_args(argv)
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", options.id):
        raise UsageError(f"{options.id!a} is no id: use a short lower-case name such as week3")
    if "\n" in options.title or not 1 <= len(options.title) <= 100:  # noqa: PLR2004 - as in the TOML
        raise UsageError("--title takes one line of at most 100 characters")
    root = checkout(options)
    for top in ("exercises", "hidden_tests"):
        if (root / top / options.id).exists():
            raise UsageError(f"{root / top / options.id} exists; choose another id")
    tests = read_legacy(options.file)
    files = skeleton(options.id, options.title, tests)
    pins = root / "exercises" / "imputation" / "starter" / "requirements.txt"
    if pins.is_file():
        files[f"exercises/{options.id}/starter/requirements.txt"] = pins.read_text("utf-8")
    console = Console(highlight=False)
    for path, text in sorted(files.items()):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode("utf-8"))
        console.print(path, markup=False)
    done = sum(test.kind == "io" for test in tests)
    console.print(
        f"{done} of {len(tests)} tests became calls of main(text); the others are listed in "
        f"hidden_tests/{options.id}/IMPORTED.md",
        markup=False,
        soft_wrap=True,
    )
    return 0
