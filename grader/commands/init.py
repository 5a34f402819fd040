"""``grade init``: a team's own repository."""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

import grader
from grader.commands._common import parser
from grader.errors import UsageError
from grader.exercise.contract import TEAM
from grader.files import recipe_folder
from grader.scorecard.read import FOLDER as SCORECARDS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]

# Template → where it goes.
_FILES = {
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "verify.yml": ".github/workflows/verify.yml",
}
_TEAM = """\
# Marks the root of this repository; the commands of grade find it from any folder below.
# The version that the exercises are for: another one warns.
version = "{version}"
"""


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("init", "Make a private repository for a team's exercises.")
    made.add_argument("folder", metavar="DIR", type=Path, help="a new or empty folder")
    return made


def run(argv: Sequence[str]) -> int:
    """Write the folder; it appears whole or not at all."""
    target: Path = arguments().parse_args(argv).folder.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there and not empty; name a new folder")
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent} is no folder; make it first")
    version = grader.__version__
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        draft = Path(folder) / "team"
        for top in ("exercises", "hidden_tests"):
            (draft / top).mkdir(parents=True)
            (draft / top / ".gitkeep").touch()
        shutil.copytree(recipe_folder() / SCORECARDS, draft / SCORECARDS)
        for name, place in _FILES.items():
            path = draft / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_template(name).replace("@@version@@", version), encoding="utf-8")
        (draft / TEAM).write_text(_TEAM.format(version=version), encoding="utf-8")
        if target.exists():
            target.rmdir()
        shutil.move(draft, target)
    Console(highlight=False).print(
        f"{target}: next, cd there, git init, and grade new ID", markup=False, soft_wrap=True
    )
    return 0


def _template(name: str) -> str:
    return resources.files("grader.authoring").joinpath("team", name).read_text("utf-8")
