"""Whether a results folder still is the result that was bound when it was written.

A page may be made again later: it then has to be what the bound report gives.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grader
from grader.collect.decided import decided_run
from grader.errors import GraderError, UsageError
from grader.exercise.contract import load_exercise, starter_files
from grader.exercise.suite import load_suite
from grader.files import open_regular
from grader.intake.entries import shown
from grader.record.binding import (
    BINDING,
    EVIDENCE,
    SCHEMA,
    SIGNATURE,
    file_digest,
    pages_in,
    stated,
)
from grader.record.graded import SUBMISSION, unpack_files
from grader.record.seeds import commitment, has_team_seed, run_seed, team_seed
from grader.record.signing import Signature, configured_key
from grader.record.transcript import read_meta
from grader.report.dossier import open_dossier
from grader.report.formats import FORMATS, render
from grader.report.report_json import read_report
from grader.starter import handed_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from grader.report.dossier import Dossier

__all__ = ["Check", "audit", "seed_checks"]

_MADE = {form.file: name for name, form in FORMATS.items() if form.file != "report.json"}
_MOST_TEXT = 1 << 20
_Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an audit looked at.

    Attributes:
        state: ``ok``; ``differs``: the folder is not the result that was bound; ``note``: worth
            knowing, and nothing against the result.
    """

    name: str
    state: str
    text: str


def _text(path: Path) -> str:
    with open_regular(path) as file:
        return file.read(_MOST_TEXT).decode("utf-8")


def audit(folder: Path, *, root: Path, public_key: bytes | None = None) -> list[Check]:
    """Check a results folder against what it was bound to.

    Args:
        folder: a results folder.
        root: the checkout, whose hidden tests, rubric and key are compared.
        public_key: 32 bytes; the signature must be by this key. By default that of the configured
            private key, if there is one.

    Returns:
        Every check, in order.

    Raises:
        UsageError: the folder holds no bound result.
    """
    try:
        text = _text(folder / BINDING)
        body = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{folder} holds no bound result: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise UsageError(f"{folder / BINDING} is not of version {SCHEMA}")
    expected = public_key
    if expected is None and (key := configured_key(root / "hidden_tests")) is not None:
        expected = key.public_key
    return [
        _signature(folder, text, expected),
        *_files(folder, body),
        *_pages(folder, body, root),
        *_statements(folder, body),
        *_checkout(body, root),
        *seed_checks(folder, root),
    ]


def seed_checks(folder: Path, root: Path) -> Iterator[Check]:
    """Whether a run's inputs were drawn from this checkout's seed file, if it has one.

    Whoever chooses a seed chooses the questions, so another one is worth knowing.
    """
    hidden = root / "hidden_tests"
    if not has_team_seed(hidden):
        return
    try:
        meta = read_meta(folder / "transcript.gz")
        ours = run_seed(team_seed(hidden), str(meta["exercise"]), str(meta["exercise_version"]))
    except (GraderError, OSError):
        return  # said elsewhere
    if meta["seed"] == ours:
        yield Check("seed", "ok", "drawn from this checkout's seed file")
    else:
        told = "not drawn from this checkout's seed file: another team's, or given with --seed"
        yield Check("seed", "note", told)


def _signature(folder: Path, text: str, expected: bytes | None) -> Check:
    name, path = "signature", folder / SIGNATURE
    if not path.exists():
        state = "note" if expected is None else "differs"
        return Check(name, state, "not signed: no key was configured when it was graded")
    try:
        signature = Signature.from_json(_text(path))
    except (UsageError, OSError, UnicodeDecodeError, RecursionError) as error:
        return Check(name, "differs", str(error))
    if not signature.holds(text.encode()):
        return Check(name, "differs", f"{BINDING} is not what was signed")
    if expected is None:
        told = f"by key {signature.fingerprint}, which nothing here vouches for; give --public-key"
        return Check(name, "note", told)
    if signature.public_key != expected:
        return Check(name, "differs", f"by another key, {signature.fingerprint}")
    return Check(name, "ok", f"by key {signature.fingerprint}")


def _files(folder: Path, body: _Json) -> Iterator[Check]:
    told = body.get("files")
    for name in EVIDENCE:
        bound = told.get(name) if isinstance(told, dict) else None
        try:
            found = file_digest(folder / name)
        except OSError as error:
            yield Check(name, "differs", f"cannot be read: {error.strerror}")
            continue
        if found == bound:
            yield Check(name, "ok", f"sha256 {found[:16]}")
        else:
            yield Check(name, "differs", "was changed after the run")


def _pages(folder: Path, body: _Json, root: Path) -> Iterator[Check]:
    """What people read: as it was written with the run, or as the bound report gives it again."""
    told = body.get("pages")
    bound: dict[str, Any] = told if isinstance(told, dict) else {}
    maker: _Maker | None = None
    for name in pages_in(folder):
        try:
            as_written = file_digest(folder / name) == bound.get(name)
        except OSError as error:
            state = "differs" if name in bound or name in _MADE else "note"
            yield Check(name, state, f"cannot be read: {error.strerror}")
            continue
        if as_written:
            yield Check(name, "ok", "as written with the run")
        elif name in _MADE:
            maker = maker or _Maker(folder, body, root)
            yield Check(name, *maker.compare(name))
        elif name in bound:
            yield Check(name, "differs", "was changed after the run")
        else:
            yield Check(name, "note", "is not of the run: nothing here vouches for it")
    for name in sorted(set(bound) - set(pages_in(folder))):
        yield Check(shown(name), "note", "was removed after the run")


class _Maker:
    """Makes pages again: as the run does, by the present rubric, and without the exercise."""

    def __init__(self, folder: Path, body: _Json, root: Path) -> None:
        self._folder = folder
        self._dossiers: list[Dossier] = []
        self._decided: list[Dossier] = []
        files = body.get("files")
        bound: dict[str, Any] = files if isinstance(files, dict) else {}
        try:
            self._sound = all(
                file_digest(folder / name) == bound.get(name)
                for name in ("report.json", SUBMISSION)
            )
        except OSError:
            self._sound = False
        if not self._sound:
            return
        with contextlib.suppress(Exception):  # each in its own check
            recorded, _ = open_dossier(folder, None)
            self._dossiers.append(recorded)
            exercise = load_exercise(str(body.get("exercise")), root=root)
            starter, given = starter_files(exercise), handed_out(exercise)
            again = dataclasses.replace(recorded, starter=starter, handed_out=given)
            self._dossiers.append(again)
            self._dossiers.append(open_dossier(folder, exercise, given)[0])
            for dossier, by in (
                (again, exercise),
                (self._dossiers[-1], exercise),
                (recorded, None),
            ):
                report = decided_run(folder, dossier.report, by)
                if report.machine is not None:
                    self._decided.append(dataclasses.replace(dossier, report=report))

    def compare(self, name: str) -> tuple[str, str]:
        """State and text of a page that is not as it was written with the run."""
        if not self._sound:
            return "differs", "was changed or made after the run, and so was what it is made from"
        with open_regular(self._folder / name) as file:
            found = file.read()
        for dossier in self._dossiers:
            with contextlib.suppress(Exception):
                if render(_MADE[name], dossier) == found:
                    return "ok", "as the bound report gives it again"
        for dossier in self._decided:
            with contextlib.suppress(Exception):
                if render(_MADE[name], dossier) == found:
                    return "ok", "as the bound report gives it with what people decided over it"
        return "differs", (
            "is neither what was written with the run nor what its report gives here; "
            "`grade report` makes it again"
        )


def _statements(folder: Path, body: _Json) -> Iterator[Check]:
    try:
        meta = read_meta(folder / "transcript.gz")
        found = stated(read_report(folder / "report.json"), meta)
    except (GraderError, KeyError, TypeError) as error:
        yield Check("report", "differs", f"cannot be read: {error}")
        return
    for name, value in found.items():
        state = "ok" if body.get(name) == value else "differs"
        shown = str(value)[:40] if state == "ok" else f"bound {body.get(name)!r}, now {value!r}"
        yield Check(name, state, shown[:200])
    of_run = {
        "run": meta.get("run"),
        "submission": meta.get("submission"),
        "suite": meta.get("suite"),
        "exercise": meta.get("exercise"),
        "judge_image": meta.get("judge_image"),
        "seed_commitment": commitment(str(meta.get("seed"))),
    }
    odd = [name for name, value in of_run.items() if body.get(name) != value]
    if odd:
        yield Check("transcript", "differs", f"is of another run: {', '.join(odd)}")
    else:
        yield Check("transcript", "ok", "of this run, submission, suite, image and seed")
    try:
        unpack_files(folder / SUBMISSION, str(body.get("submission")))
    except GraderError as error:
        yield Check("graded files", "differs", str(error))
    else:
        yield Check("graded files", "ok", "those of the submission's digest")


def _checkout(body: _Json, root: Path) -> Iterator[Check]:
    """What of this checkout differs from the run's; a replay needs the same hidden tests."""
    try:
        exercise = load_exercise(str(body.get("exercise")), root=root)
        suite = load_suite(exercise.hidden_dir)
    except GraderError as error:
        yield Check("this checkout", "note", f"cannot be compared: {error}")
        return
    now = {
        "suite": ("hidden tests", suite.digest),
        "scoring": ("scoring (rubric, expectations or task sheet)", exercise.scoring_digest),
        "grader_version": ("version of the grader", grader.__version__),
    }
    other = [name for key, (name, value) in now.items() if body.get(key) != value]
    if other:
        yield Check("this checkout", "note", f"has another {', another '.join(other)} than the run")
    else:
        yield Check("this checkout", "ok", "has the run's hidden tests, scoring and version")
