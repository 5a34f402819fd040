"""Data of a candidate's own: the exercise's generator run with another seed.

``exercises/<id>/make_data.py --seed N --out FOLDER`` writes what lies in ``starter/data``. It is a
script of the team's, run on the organiser's machine; it may need the author's packages. Its seed is
derived from a text of the organiser's under a label of its own, so it is never a seed that hidden
data is drawn with.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import ExerciseError, UsageError

if TYPE_CHECKING:
    from grader.models import Exercise

__all__ = ["variant_data", "variant_seed"]

_SECONDS = 300


def variant_seed(exercise: Exercise, text: str) -> str:
    """16 hexadecimal digits for this exercise and text; the same text gives the same data."""
    label = f"takehome-grader starter\n{exercise.id}\n{exercise.version}\n{text}"
    return hashlib.sha256(label.encode()).hexdigest()[:16]


def variant_data(exercise: Exercise, variant: str) -> dict[str, bytes]:
    """Path in the starter → content of each data file drawn anew.

    Raises:
        UsageError: a package that the generator needs is not installed, or it failed.
        ExerciseError: the exercise has no generator, or it wrote nothing.
    """
    script = exercise.public_dir / "make_data.py"
    if not script.is_file():
        raise ExerciseError(
            f"{exercise.public_dir} has no make_data.py, so its data is the same for all; "
            "leave out --seed, or write one (see docs/organiser.md)"
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script), "--seed", str(int(variant, 16)), "--out", folder]
        try:
            done = subprocess.run(  # noqa: S603 - a script of the team's own
                command, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{script} did not finish within {_SECONDS} s") from error
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            missing = "ModuleNotFoundError" in last
            mend = "; install the author's packages: pip install -e '.[author]'" if missing else ""
            raise UsageError(f"{script} failed: {last}{mend}")
        drawn = {
            f"data/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }
    if not drawn:
        raise ExerciseError(f"{script} wrote no file with --out")
    return drawn
