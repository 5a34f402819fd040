"""Pack three labelled solutions as zips, each as a candidate would hand in the whole starter.

    python scripts/pack_examples.py DEST

writes ``DEST/reference.zip``, ``DEST/mediocre.zip`` and ``DEST/poor.zip``. The same files give the
same bytes, so the submissions' digests never change without reason.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

from grader.authoring.labels import load_case, sources

ROOT = Path(__file__).resolve().parent.parent
EXERCISE = "imputation"
CASES = ("reference", "mediocre", "poor")
LEFT_OUT = {"__pycache__", ".pytest_cache", ".venv"}


def candidate_files(case: str) -> dict[str, bytes]:
    """The starter's files with those of a labelled solution in place; path → content."""
    starter = ROOT / "exercises" / EXERCISE / "starter"
    solution = ROOT / "hidden_tests" / EXERCISE / "solutions" / case
    given = {
        path.relative_to(starter).as_posix(): path.read_bytes()
        for path in sorted(starter.rglob("*"))
        if path.is_file() and not LEFT_OUT & {*path.relative_to(starter).parts}
    }
    return given | sources(load_case(solution, EXERCISE, ROOT))


def pack(files: dict[str, bytes], target: Path) -> None:
    """Write a zip whose bytes depend on the files alone."""
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name)  # dated 1980-01-01
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dest", type=Path, metavar="DEST", help="folder for the zips")
    dest: Path = parser.parse_args().dest
    dest.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        pack(candidate_files(case), dest / f"{case}.zip")
        print(dest / f"{case}.zip")
    return 0


if __name__ == "__main__":
    sys.exit(main())
