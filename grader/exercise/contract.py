"""``exercise.toml`` as a typed `Exercise`, and which exercise a submission is for.

An exercise lives in two folders below one root: ``exercises/<id>`` is what candidates see,
``hidden_tests/<id>`` is what they never see.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import UsageError
from grader.exercise.environment import read_environment
from grader.exercise.rubric import load_rubric
from grader.exercise.service import read_app, read_stand_ins
from grader.exercise.sheet import LINE, read_sheet
from grader.exercise.toml import Table, read_table
from grader.files import recipe_folder
from grader.models import Exercise, Expectation, ExpectedFunction, Level, Limits, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.models import Rubric, Submission

__all__ = [
    "PINS",
    "SENIORITIES",
    "TEAM",
    "detect_exercise",
    "list_exercises",
    "load_exercise",
    "project_root",
    "requirements_of",
    "starter_files",
]

SENIORITIES = ("junior", "mid", "senior", "principal")

_ID = r"[a-z][a-z0-9_-]{0,39}"
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,79}"
TEAM = "grade.toml"  # in the root of a team's repository
PINS = "requirements.txt"  # of a starter
_NOT_SHIPPED = {"__pycache__", ".pytest_cache", ".venv"}


def project_root() -> Path:
    """The team's repository around the current folder, else the checkout of this package.

    Raises:
        UsageError: there is neither (the package was installed without its checkout).
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / TEAM).is_file():
            return folder
    root = Path(__file__).resolve().parents[2]
    if not (root / "exercises").is_dir():
        raise UsageError(
            f"neither {here} nor a folder above it holds {TEAM}: go to the folder that grade init "
            "made, name it with --root, or make one: grade init DIR"
        )
    return root


def requirements_of(root: Path) -> Path:
    """The pinned packages: the checkout's own, or those that the package brought."""
    own = root / "requirements"
    return own if own.is_dir() else recipe_folder() / "requirements"


def load_exercise(exercise_id: str, *, root: Path) -> Exercise:
    """Read one exercise.

    Args:
        exercise_id: the name of its folder below ``exercises/``.
        root: the folder that holds ``exercises/``, ``hidden_tests/`` and ``requirements/``.

    Raises:
        UsageError: there is no such exercise; the message lists those there are.
        ExerciseError: one of its files is wrong; the message names file, key and fix.
    """
    public = root / "exercises" / exercise_id
    file = public / "exercise.toml"
    if not re.fullmatch(_ID, exercise_id) or not file.is_file():
        raise UsageError(_unknown(exercise_id, _ids(root)))
    table, _ = read_table(file)
    if table.text("id", _ID, "a short lower-case id") != exercise_id:
        table.fail("id", f"must be the folder's name, {exercise_id!r}")
    seniority = table.text("seniority", "|".join(SENIORITIES), f"one of {', '.join(SENIORITIES)}")
    hidden = root / "hidden_tests" / exercise_id
    rubric = load_rubric(hidden / "rubric.toml")
    sheet = read_sheet(public / "README.md")
    expectations = _expectations(table, rubric, sheet)
    functions = _functions(table)
    exercise = Exercise(
        id=exercise_id,
        version=table.text("version", r"\d+(\.\d+){0,2}", 'a version such as "1.0"'),
        title=table.text("title", r"[^\n]{1,100}", "a title of at most 100 characters"),
        minutes=table.integer("minutes", 1, 10_080),
        seniority=seniority,
        entry=table.text("entry", _NAME + r"\.py", 'a Python file name such as "solution.py"'),
        functions=functions,
        limits=_limits(table.table("limits")),
        preload=table.texts("preload", _NAME + r"(\." + _NAME + ")*", "module names"),
        environment=read_environment(table, public, requirements_of(root)),
        expectations=expectations,
        sheet=sheet,
        rubric=rubric,
        scoring_digest=_scoring_digest(rubric, expectations, sheet),
        public_dir=public,
        hidden_dir=hidden,
        app=read_app(table, functions),
        stand_ins=read_stand_ins(table, public / "starter"),
    )
    table.finish()
    return exercise


def list_exercises(root: Path) -> tuple[Exercise, ...]:
    """All exercises below `root`, by id.

    Raises:
        UsageError: there is none.
        ExerciseError: one of them is wrong.
    """
    ids = _ids(root)
    if not ids:
        raise UsageError(
            f"{root / 'exercises'} holds no exercise (a folder with an exercise.toml); "
            "run from the repository's root or give its path with --root"
        )
    return tuple(load_exercise(exercise_id, root=root) for exercise_id in ids)


def detect_exercise(
    submission: Submission, exercises: Sequence[Exercise], requested: str | None
) -> Exercise:
    """Decide which exercise a submission is for.

    The caller's `requested` id and the submission's own marker must not contradict each other;
    with neither, the answer is clear only where there is exactly one exercise.

    Raises:
        UsageError: unknown, contradictory or undecided; the message says what to pass.
    """
    by_id = {exercise.id: exercise for exercise in exercises}
    marked = submission.exercise_id
    if requested is not None and requested not in by_id:
        raise UsageError(_unknown(requested, tuple(by_id)))
    if requested is not None and marked is not None and marked != requested:
        raise UsageError(
            f"the submission's assessment.toml says exercise {marked!a}, but --exercise says "
            f"{requested!r}; drop --exercise, or correct the file if the candidate changed it"
        )
    if requested is not None:
        return by_id[requested]
    if marked is not None:
        if marked not in by_id:
            raise UsageError("assessment.toml in the submission: " + _unknown(marked, tuple(by_id)))
        return by_id[marked]
    if len(by_id) == 1:
        return exercises[0]
    raise UsageError(
        "the submission holds no assessment.toml that names its exercise; "
        f"pass --exercise with one of: {', '.join(sorted(by_id)) or '(there is none)'}"
    )


def starter_files(exercise: Exercise) -> dict[str, bytes]:
    """The exercise's starter as the checkout has it; path → content.

    Its ``requirements.txt`` also lists what the exercise's lock pins, so that candidates install
    what the sandbox has.
    """
    top = exercise.public_dir / "starter"
    found = {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file() and not _NOT_SHIPPED & {*path.relative_to(top).parts}
    }
    extra = exercise.environment.offered
    if extra and PINS in found:
        lines = found[PINS].decode("utf-8").splitlines()
        kept = [line for line in lines if line.partition("==")[0].strip().lower() not in extra]
        pins = [f"{name}=={version}" for name, version in extra.items()]
        text = "\n".join([*kept, "# Packages of this exercise alone.", *pins, ""])
        found[PINS] = text.encode()
    return found


def _functions(top: Table) -> tuple[ExpectedFunction, ...]:
    found: list[ExpectedFunction] = []
    for table in top.tables("functions"):
        name = table.text("name", _NAME, "a Python name")
        parameters = table.texts("parameters", _NAME, "Python names")
        methods = table.texts("methods", _NAME, "Python names")
        table.finish()
        if name in {function.name for function in found}:
            table.fail("name", f"{name!r} is listed twice; remove one")
        found.append(ExpectedFunction(name, parameters, methods))
    return tuple(found)


def _limits(table: Table) -> Limits:
    limits = Limits(
        memory=table.size("memory"),
        cpus=table.number("cpus", 0.1, 64),
        pids=table.integer("pids", 16, 4096),
        wall_seconds=table.number("wall_seconds", 1, 7200),
        call_seconds=table.number("call_seconds", 0.1, 3600),
        load_seconds=table.number("load_seconds", 0.1, 3600),
        output_bytes=table.size("output"),
        reply_bytes=table.size("reply"),
        scratch_bytes=table.size("scratch"),
    )
    table.finish()
    if max(limits.call_seconds, limits.load_seconds) > limits.wall_seconds:
        table.fail("wall_seconds", "must not be below call_seconds or load_seconds; raise it")
    return limits


def _expectations(top: Table, rubric: Rubric, sheet: Mapping[str, str]) -> dict[str, Expectation]:
    headline = top.texts("headline", LINE, "lines of the task sheet")
    for line in headline:
        if line not in sheet:
            guess = difflib.get_close_matches(line, sheet, n=1)
            hint = f"did you mean {guess[0]!r}?" if guess else "add it to a table of the README"
            top.fail("headline", f"names {line!r}, which the task sheet lacks; {hint}")
    table = top.table("expectations")
    found = {}
    for seniority in SENIORITIES:
        row = table.table(seniority)
        meets, exceeds = _profile(row, "meets", rubric), _profile(row, "exceeds", rubric)
        row.finish()
        if not meets.overall > 1:
            row.fail("meets", "needs an overall above 1, so that a submission without merit fails")
        if less := _asks_less(exceeds, meets):
            row.fail("exceeds", f"asks for less than meets does ({less}); raise it")
        named = headline if seniority != SENIORITIES[0] else ()
        found[seniority] = Expectation(seniority, meets, exceeds, named)
    table.finish()
    for lower, higher in pairwise(SENIORITIES):
        for band in ("meets", "exceeds"):
            if less := _asks_less(getattr(found[higher], band), getattr(found[lower], band)):
                table.fail(
                    f"{higher}.{band}", f"asks for less than {lower} does ({less}); raise it"
                )
    return found


def _profile(row: Table, band: str, rubric: Rubric) -> Profile:
    table = row.table(band)
    overall = table.number("overall", 1, 4)
    levels = {}
    for category in rubric.categories:
        if table.has(category.id):
            name = table.text(category.id, "okay|strong|excellent", "okay, strong or excellent")
            levels[category.id] = Level[name.upper()]
            if category.provisional and levels[category.id] > Level.STRONG:
                table.fail(category.id, "is provisional, so nobody reaches more than strong")
    table.finish()
    return Profile(overall, levels)


def _scoring_digest(
    rubric: Rubric, expectations: Mapping[str, Expectation], sheet: Mapping[str, str]
) -> str:
    """What decides levels and bands once the evidence is there; a change of it re-scores."""
    parts = [rubric.digest, {name: asdict(item) for name, item in expectations.items()}, sheet]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _asks_less(profile: Profile, other: Profile) -> str:
    """The first thing of which a profile asks for less than another one; empty if there is none."""
    if profile.overall < other.overall and not math.isclose(profile.overall, other.overall):
        return "overall"
    return next(
        (name for name, level in other.levels.items() if profile.levels.get(name, 0) < level), ""
    )


def _ids(root: Path) -> tuple[str, ...]:
    return tuple(sorted(file.parent.name for file in root.glob("exercises/*/exercise.toml")))


def _unknown(exercise_id: str, known: Sequence[str]) -> str:
    guess = difflib.get_close_matches(exercise_id, known, n=1)
    hint = f"; did you mean {guess[0]!r}?" if guess else ""
    return (
        f"there is no exercise {exercise_id[:60]!a}{hint} "
        f"(exercises here: {', '.join(sorted(known)) or 'none'})"
    )
