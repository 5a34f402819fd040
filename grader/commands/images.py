"""``grade images``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import parser
from grader.sandbox.workbench import Workbench

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    return parser("images", "Build the sandbox images unless they are there.")


def run(argv: Sequence[str]) -> int:
    """Build what is missing and print the images' ids."""
    arguments().parse_args(argv)
    console = Console(stderr=True, highlight=False)
    bench = Workbench(lambda text: console.print(text, markup=False))
    console.print(f"candidate {bench.images.candidate[7:19]}, judge {bench.images.judge[7:19]}")
    return 0
