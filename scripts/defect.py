"""Edit labelled solutions that are kept as a base and a patch.

    python scripts/defect.py unpack EXERCISE/CASE DIR
    python scripts/defect.py pack EXERCISE/CASE DIR [--base CASE]
    python scripts/defect.py table [--check]

``unpack`` writes the files that a candidate would hand in. ``pack`` makes the patch that turns the
base into DIR, and puts it in the place of the case's patch or whole sources; what the label says
stays the same, also beyond another base. ``table`` writes the tables of each ``DEFECTS.md`` from
the labels.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
from pathlib import Path

from grader.authoring.labelled import stage
from grader.authoring.labels import (
    LABEL,
    PATCH,
    Case,
    exercises,
    files_below,
    label_text,
    load_case,
    load_cases,
    replace_tables,
    sources,
)
from grader.authoring.patches import apply, difference

ROOT = Path(__file__).resolve().parent.parent


def unpack(name: str, folder: Path, *, root: Path = ROOT) -> None:
    """Write the files of a case into a new folder.

    Raises:
        ValueError: there is no such case, or its patch does not apply.
        FileExistsError: the folder is there already.
    """
    case = _case(name, root)
    staged = stage(case, folder.parent / f".{folder.name}.new")
    if folder.exists():
        shutil.rmtree(staged.parent)
        raise FileExistsError(f"{folder} exists; name a new folder")
    staged.rename(folder)
    staged.parent.rmdir()


def pack(name: str, folder: Path, base: str = "", *, root: Path = ROOT) -> Path:
    """Make the patch of a case from the files in a folder.

    Args:
        name: exercise and case, with a slash between; the case may be new.
        folder: what a candidate would hand in.
        base: a case with whole sources; that of the label if it is not said.
        root: of the checkout.

    Returns:
        The patch.

    Raises:
        ValueError: there is no base, it is a patch itself, the folder holds the base's files, or
            the label says less than the base costs.
    """
    exercise, _, short = name.partition("/")
    target = root / "hidden_tests" / exercise / "solutions" / short
    old = _case(name, root) if (target / LABEL).exists() else None
    base = base or (old.base if old else "")
    if not base or base == short:
        raise ValueError(f"{name}: say which other labelled solution is the base: --base CASE")
    below = _case(f"{exercise}/{base}", root)
    if below.patches or below.form:
        raise ValueError(f"{exercise}/{base} has no sources of its own; take {below.base}")
    before, after = sources(below), files_below(folder)
    patch = difference(before, after)
    if not patch:
        raise ValueError(f"{folder} holds the files of {exercise}/{base}: there is no defect in it")
    if apply(before, {name: patch}) != after:
        raise ValueError(f"{folder}: a unified diff cannot say how it differs from {base}")
    case = old or dataclasses.replace(below, name=short, about="TODO: one sentence.")
    case = dataclasses.replace(case, base=base, form="", defects=(), patches=(target,))
    label = label_text(case, below)
    target.mkdir(parents=True, exist_ok=True)
    _write(target / PATCH, patch)
    _write(target / LABEL, label.encode())
    for path in target.iterdir():
        if path.name not in {LABEL, PATCH}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return target / PATCH


def tables(*, write: bool, root: Path = ROOT) -> list[Path]:
    """Compare each ``DEFECTS.md`` with the labels.

    Returns:
        The files that differed; they are up to date afterwards if `write` is true.
    """
    found = []
    for exercise in exercises(root):
        path = root / "hidden_tests" / exercise / "DEFECTS.md"
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = replace_tables(old, load_cases(exercise, root))
        if new != old:
            found.append(path)
            if write:
                _write(path, new.encode())
    return found


def _case(name: str, root: Path) -> Case:
    exercise, _, short = name.partition("/")
    folder = root / "hidden_tests" / exercise / "solutions" / short
    if not short or not (folder / LABEL).is_file():
        raise ValueError(f"{name}: there is no {folder / LABEL}; write EXERCISE/CASE")
    return load_case(folder, exercise, root)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(data)
    draft.replace(path)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for command, told in (("unpack", "write a case's files"), ("pack", "make a case's patch")):
        sub = commands.add_parser(command, help=told)
        sub.add_argument("case", metavar="EXERCISE/CASE")
        sub.add_argument("folder", type=Path, metavar="DIR")
        if command == "pack":
            sub.add_argument("--base", default="", metavar="CASE")
    sub = commands.add_parser("table", help="write the tables of DEFECTS.md")
    sub.add_argument("--check", action="store_true", help="only say which differ; exit code 1")
    options = parser.parse_args()
    try:
        if options.command == "unpack":
            unpack(options.case, options.folder)
        elif options.command == "pack":
            print(pack(options.case, options.folder, options.base))
        else:
            found = tables(write=not options.check)
            for path in found:
                print(path)
            return 1 if found and options.check else 0
    except (ValueError, FileExistsError) as error:
        sys.stderr.write(f"defect: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
