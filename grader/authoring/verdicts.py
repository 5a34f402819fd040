"""Outcomes of labelled solutions, kept by a digest of everything that goes into a grading.

A case whose digest is known needs no second grading on the same machine. On a machine of
continuous integration (the environment variable ``CI`` is set) nothing is kept or looked up.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import pipeline
from grader.authoring.labelled import Outcome, stage
from grader.exercise.contract import requirements_of
from grader.files import recipe_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from grader.authoring.labelled import Case

__all__ = ["Verdicts"]

_VERSION = 1
_LEFT_OUT = {"__pycache__", ".pytest_cache", ".hypothesis", ".mypy_cache"}
_Run = tuple["Case", str]


class Verdicts:
    """The kept outcomes of one way of grading.

    Args:
        root: the checkout.
        way: what is the same for all gradings besides the files: how they are graded, image ids.
        fresh: grade every case again. What comes out is kept nevertheless.
        folder: where they are kept. By default one place for all checkouts of a user, since the
            key speaks of files and not of where they lie: ``takehome-grader/verdicts`` below
            ``$XDG_CACHE_HOME`` or ``~/.cache``.

    Attributes:
        found: how many outcomes came from the folder.
        graded: how many did not.
    """

    def __init__(
        self, root: Path, way: Iterable[str], *, fresh: bool = False, folder: Path | None = None
    ) -> None:
        self._root = root
        self._way = tuple(way)
        self._off = bool(os.environ.get("CI"))
        self._fresh = fresh
        self._folder = folder or _cache() / "takehome-grader" / "verdicts"
        self.found = self.graded = 0

    def through(
        self,
        grade: Callable[[list[_Run]], Iterable[tuple[Case, str, Outcome]]],
        runs: Iterable[_Run],
    ) -> Iterator[tuple[Case, str, Outcome]]:
        """Outcomes of all runs: those that are kept first, then the others as they are graded."""
        runs = list(runs)
        if self._off:
            self.graded += len(runs)
            yield from grade(runs)
            return
        keys = {self._place(case, seed): self.key(case, seed) for case, seed in runs}
        waiting = []
        for case, seed in runs:
            kept = None if self._fresh else self._read(keys[self._place(case, seed)])
            if kept is None:
                waiting.append((case, seed))
            else:
                self.found += 1
                yield case, seed, kept
        for case, seed, outcome in grade(waiting) if waiting else ():
            self.graded += 1
            self._write(keys[self._place(case, seed)], outcome)
            yield case, seed, outcome

    def told(self) -> str:
        """One line that says where the outcomes came from."""
        if self._off:
            return f"{self.graded} graded; none is kept where CI is set"
        return f"{self.graded} graded, {self.found} kept from earlier gradings of the same files"

    def key(self, case: Case, seed: str) -> str:
        """A digest of everything that goes into a grading."""
        with tempfile.TemporaryDirectory(prefix="verdicts-") as name:
            submission = stage(case, Path(name))
            grading = pipeline.prepare(
                submission, root=self._root, exercise=case.exercise, seed=seed
            )
        exercise = grading.exercise
        label = sorted(case.failing | case.either), sorted(case.tests or ())
        return _digest(
            [
                str(_VERSION),
                *self._way,
                _machine(),
                _code(self._root),
                _files(exercise.public_dir),
                grading.suite.digest,
                exercise.scoring_digest,
                grading.submission.name,
                grading.submission.digest,
                grading.seed,
                json.dumps(sorted(case.limits.items())),
                json.dumps(label),  # says which tests the author mode leaves out
            ]
        )

    @staticmethod
    def _place(case: Case, seed: str) -> tuple[str, str, str]:
        return case.exercise, case.name, seed

    def _read(self, key: str) -> Outcome | None:
        try:
            raw = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return _outcome(raw) if raw.get("key") == key else None

    def _write(self, key: str, outcome: Outcome) -> None:
        raw = dataclasses.asdict(outcome)
        raw |= {"failing": sorted(outcome.failing), "tests": sorted(outcome.tests)}
        raw |= {"stable": outcome.stable.decode("utf-8"), "key": key}
        with contextlib.suppress(OSError):  # a checkout that cannot be written to keeps nothing
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=self._folder, prefix=".")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(raw, file)
            Path(draft).replace(self._folder / f"{key}.json")


def _cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME", "")
    return Path(named) if named.startswith("/") else Path.home() / ".cache"


def _outcome(raw: dict[str, Any]) -> Outcome:
    del raw["key"]
    raw |= {"failing": frozenset(raw["failing"]), "tests": frozenset(raw["tests"])}
    raw["stable"] = raw["stable"].encode("utf-8")
    return Outcome(**raw)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()


@functools.cache
def _files(folder: Path) -> str:
    """A digest of the files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _LEFT_OUT & set(path.parts):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()}\n{len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()


def _code(root: Path) -> str:
    """The grader's own code, and what its images are made from."""
    package = Path(__file__).resolve().parents[1]
    dockerfile = recipe_folder() / "Dockerfile"
    made_from = dockerfile.read_text(encoding="utf-8") if dockerfile.is_file() else ""
    return _digest([_files(package), _files(requirements_of(root)), made_from])


@functools.cache
def _machine() -> str:
    """The interpreter, the installed packages, and the system."""
    packages = sorted(f"{d.name}=={d.version}" for d in importlib.metadata.distributions())
    return _digest([sys.version, platform.platform(), platform.processor(), *packages])
