"""What a worker needs once: exercises with their hidden tests, without labelled solutions."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import grader
from grader.errors import PlatformError
from grader.exercise.contract import load_exercise
from grader.exercise.suite import load_suite
from grader.files import zipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from grader.exercise.suite import Suite
    from grader.models import Exercise

__all__ = ["Bundle", "Carried", "pack", "unpack"]

_ABOUT = "bundle.json"
_LEFT_OUT = {"solutions", "__pycache__", ".pytest_cache", ".hypothesis"}


@dataclass(frozen=True, slots=True)
class Bundle:
    """Exercises as bytes.

    Attributes:
        data: a zip archive; secret.
        digest: SHA-256 of `data`, hex; names the bundle without telling what is in it.
    """

    data: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A bundle after it was unpacked.

    Attributes:
        exercises: id → the exercise.
        suites: id → its hidden tests.
    """

    exercises: dict[str, Exercise]
    suites: dict[str, Suite]


def pack(exercises: Iterable[Exercise]) -> Bundle:
    """Collect what grading these exercises takes."""
    files: dict[str, bytes] = {}
    about: dict[str, dict[str, str]] = {}
    for exercise in exercises:
        for top, folder in (
            ("exercises", exercise.public_dir),
            ("hidden_tests", exercise.hidden_dir),
        ):
            for path in _files(folder):
                name = f"{top}/{exercise.id}/{path.relative_to(folder).as_posix()}"
                files[name] = path.read_bytes()
        own = exercise.public_dir.parent.parent / "requirements"  # what the environment rests on
        for path in sorted(own.glob("*.txt")):
            files[f"requirements/{path.name}"] = path.read_bytes()
        about[exercise.id] = _terms(exercise, load_suite(exercise.hidden_dir))
    stated = {"grader": grader.__version__, "exercises": about}
    files[_ABOUT] = json.dumps(stated, sort_keys=True).encode()
    data = zipped(dict(sorted(files.items())))
    return Bundle(data, hashlib.sha256(data).hexdigest())


def unpack(bundle: bytes, folder: Path) -> Carried:
    """Write a bundle into an empty folder and read its exercises.

    Raises:
        PlatformError: this installation differs from the client's; the message names both.
        ExerciseError: an exercise cannot be read.
    """
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        stated = json.loads(archive.read(_ABOUT))
        if stated["grader"] != grader.__version__:
            raise PlatformError(
                f"version {grader.__version__} of the grader here, {stated['grader']} at the "
                "client; install the client's version"
            )
        for info in archive.infolist():
            parts = PurePosixPath(info.filename).parts
            if ".." in parts or info.filename.startswith("/"):
                raise PlatformError(f"the bundle names {info.filename!r}, outside its folder")
            path = folder.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(info))
    exercises, suites = {}, {}
    for name, terms in stated["exercises"].items():
        exercise = load_exercise(name, root=folder)
        suite = load_suite(exercise.hidden_dir)
        for what, here in _terms(exercise, suite).items():
            if here != terms[what]:
                raise PlatformError(
                    f"{name}: {what} {here[:12]} here, {terms[what][:12]} at the client; install "
                    "the client's checkout"
                )
        exercises[name], suites[name] = exercise, suite
    return Carried(exercises, suites)


def _terms(exercise: Exercise, suite: Suite) -> dict[str, str]:
    return {
        "suite": suite.digest,
        "scoring": exercise.scoring_digest,
        "environment": exercise.environment.digest,
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.is_file() and not path.is_symlink() and not _LEFT_OUT & set(inside):
            yield path
