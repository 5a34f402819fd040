"""Lets the wheel carry what the sandbox images are made from; all else is in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
RECIPE = (
    "Dockerfile",
    "environment.Dockerfile",
    "scripts/strip.sh",
    "scripts/compile.py",
    "scripts/locales.py",
)


class WithRecipe(build_py):
    """Copies the recipe into the package; an installation from a checkout uses the checkout's."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "grader" / "recipe"
        pins = sorted((ROOT / "requirements").glob("*.txt"))
        cards = sorted((ROOT / "scorecards").rglob("*.toml"))  # grade init copies them
        if not pins or not cards:
            raise FileNotFoundError(f"{ROOT} lacks requirements/*.txt or scorecards/; build there")
        for path in (*(ROOT / name for name in RECIPE), *pins, *cards):
            copy = target / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


setup(cmdclass={"build_py": WithRecipe})
