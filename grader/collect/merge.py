"""Parts of a collection put together: the same folder that one machine alone would have written.

Parts are compared before anything is copied. What differs between them is refused, with the names
of both: a table whose scores rest on different tests, rubrics, images or seeds compares nothing.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from grader.collect.book import tasks_of
from grader.collect.grading import runs_in
from grader.collect.part import Shard, read_part, rows_of
from grader.errors import GraderError, PlatformError, UsageError
from grader.files import open_regular
from grader.record.binding import BINDING
from grader.record.results import ResultsFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from grader.collect.book import Row
    from grader.collect.grading import Key, Results
    from grader.collect.part import Part, Terms

__all__ = ["Merged", "merge"]

_TERMS = {
    "version": ("version of the exercise", "use the same checkout everywhere"),
    "suite": ("suite of hidden tests", "use the same checkout everywhere"),
    "scoring": ("rubric, expectation or task sheet", "use the same checkout everywhere"),
    "environment": ("Python or packages", "use the same checkout everywhere"),
    "seed": ("seed", "share hidden_tests/.grader-seed, or give each shard the same --seed"),
}
_MADE_BY = {
    "grader_version": "version of the grader",
    "judge_image": "judge image",
    "candidate_image": "candidate image",
    "analyst_image": "analyst image",
}
_SHOWN = 19  # characters of a digest: "sha256:" and twelve digits


@dataclass(frozen=True, slots=True)
class Merged:
    """What parts amount to.

    Attributes:
        rows: before anything is graded.
        failed: what the platform could not grade, by the word of the part whose shard it is in.
        missing: shards of which there is no part.
    """

    rows: Sequence[Row]
    failed: dict[Key, GraderError]
    missing: tuple[Shard, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """A finished run, and what made it."""

    folder: Path
    name: str
    made_by: dict[str, str]


def merge(folders: Sequence[Path], results: Results) -> Merged:
    """Copy the runs of parts into one results folder.

    Args:
        folders: of parts, in any order.
        results: the folder of all runs, which is locked.

    Raises:
        UsageError: the parts do not belong together, or the results folder holds other runs of the
            same submissions.
        PlatformError: a run cannot be copied.
    """
    parts = _agreeing({folder: read_part(folder) for folder in folders})
    by_index = {part.shard.index: folder for folder, part in parts.items()}
    first = next(iter(parts.values()))
    rows = rows_of(first)
    keys = [task.key for task in tasks_of(rows)]
    failed: dict[Key, GraderError] = {}
    runs: dict[Key, _Run] = {}
    for folder, part in parts.items():
        mine = {key for key in keys if part.shard.holds(key[2])}
        for run, document, key in runs_in(folder / "runs"):
            if key in mine and key not in runs:
                runs[key] = _run(run, document)
        for key, said in part.failed:
            if key in mine and key not in runs:
                failed[key] = PlatformError(said)
    _made_alike(first, runs)
    for key in keys:
        if key in runs:
            _take_over(key, runs[key], results)
    of = first.shard.of
    return Merged(
        rows,
        failed,
        tuple(Shard(index, of) for index in range(1, of + 1) if index not in by_index),
    )


def _agreeing(parts: dict[Path, Part]) -> dict[Path, Part]:
    """The parts in the order of their shards, if they are of one collection."""
    ordered = sorted(parts, key=lambda folder: (parts[folder].shard, str(folder)))
    first = ordered[0]
    for before, folder in zip([first, *ordered], ordered, strict=False):
        one, other = parts[first], parts[folder]
        if one.shard.of != other.shard.of:
            raise UsageError(
                f"{first} is shard {one.shard} and {folder} is shard {other.shard}: they are of "
                "different divisions; give the parts of one"
            )
        if before != folder and parts[before].shard == other.shard:
            raise UsageError(
                f"{before} and {folder} are both shard {other.shard}; give one of them"
            )
        for difference in _differences(one, other):
            raise UsageError(
                f"{folder} (shard {other.shard}) differs from {first} (shard {one.shard}): "
                f"{difference}"
            )
    return {folder: parts[folder] for folder in ordered}


def _differences(one: Part, other: Part) -> Iterator[str]:
    if one.grader_version != other.grader_version:
        yield (
            f"version of the grader {other.grader_version}, not {one.grader_version}; run the "
            "shard again with that version"
        )
    for exercise in sorted({*one.terms, *other.terms}):
        if exercise in one.terms and exercise in other.terms:
            yield from _other_terms(exercise, one.terms[exercise], other.terms[exercise])
    for mine, theirs in zip(one.rows, other.rows, strict=False):
        names = [f.name for f in fields(mine) if getattr(mine, f.name) != getattr(theirs, f.name)]
        if names:
            yield (
                f"the row of {theirs.person.identifier!r} has another {', '.join(names)}; give "
                "every shard the same submissions, roster and options, keep the files' times when "
                "you copy a folder, and run the shard again"
            )
    if len(one.rows) != len(other.rows):
        yield (
            f"{len(other.rows)} rows, not {len(one.rows)}; give every shard the same submissions "
            "and roster, and run the shard again"
        )


def _other_terms(exercise: str, one: Terms, other: Terms) -> Iterator[str]:
    for name, (called, fix) in _TERMS.items():
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine != theirs:
            yield (
                f"another {called} for {exercise} ({theirs[:_SHOWN]}, not {mine[:_SHOWN]}); "
                f"{fix}, and run the shard again"
            )


def _run(folder: Path, document: dict[str, Any]) -> _Run:
    run = document["run"]
    made_by = {name: str(run[name]) for name in _MADE_BY if name in run}
    if (folder / BINDING).is_file():  # the report does not name the analyst image
        try:
            with open_regular(folder / BINDING) as file:
                made_by["analyst_image"] = str(json.load(file)["analyst_image"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{folder / BINDING} cannot be read ({error!r}); remove {folder} and run that "
                "shard again"
            ) from error
    submission = document["submission"]
    name = f"{submission['name']}-{submission['digest'][:8]}"
    if "/" in name or name.startswith("."):
        raise UsageError(f"{folder} names its submission {submission['name']!r}: not a run of ours")
    return _Run(folder, name, made_by)


def _made_alike(part: Part, runs: dict[Key, _Run]) -> None:
    """Hold that the runs for one exercise come from the same grader and the same images."""
    for exercise in part.terms:
        made = [run for key, run in sorted(runs.items()) if key[0] == exercise]
        for run in made[1:]:
            for name, called in _MADE_BY.items():
                one, other = made[0].made_by.get(name), run.made_by.get(name)
                if one != other:
                    raise UsageError(
                        f"{run.folder} was made with another {called} than {made[0].folder} "
                        f"({str(other)[:_SHOWN]}, not {str(one)[:_SHOWN]}); put the same images "
                        "on every machine (docker save, docker load), remove the runs of the "
                        "wrong ones and run their shards again"
                    )


def _take_over(key: Key, run: _Run, results: Results) -> None:
    """Copy one run under the name that it would have had here; once is enough."""
    there = results.find(key)
    if there is not None:
        if (there / "report.json").read_bytes() == (run.folder / "report.json").read_bytes():
            return
        raise UsageError(
            f"{there} is another run of the submission in {run.folder}; choose an empty folder "
            "with --out"
        )
    copy = ResultsFolder(results.folder, run.name, sweep=False)  # it is locked, and was swept
    try:
        for file in sorted(run.folder.iterdir()):
            with open_regular(file) as source, (copy.draft / file.name).open("wb") as target:
                shutil.copyfileobj(source, target)
        folder = copy.publish()
    except OSError as error:
        copy.drop()
        raise PlatformError(
            f"{run.folder} cannot be copied to {results.folder}: {error.strerror or error} "
            f"({error.filename})"
        ) from error
    except BaseException:
        copy.drop()
        raise
    results.add(key, folder)
