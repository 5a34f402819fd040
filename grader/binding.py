"""What a run's result is bound to, and whether a results folder still is that result.

``binding.json`` names everything that the score depends on: the submission, the hidden tests, the
rubric, the images, the seed (as a commitment), the grader's version and a nonce, with digests of
the files of evidence. Where a key is configured, ``binding.sig`` signs its bytes, so a result can
neither be edited nor passed off as that of another submission or another day.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grader
from grader.errors import GraderError, UsageError
from grader.exercise import load_exercise
from grader.report.report_json import read_report
from grader.report.stored import SUBMISSION, unpack_files
from grader.seeds import commitment
from grader.signing import Signature, configured_key
from grader.suite import load_suite
from grader.transcript import read_transcript

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["BINDING", "SIGNATURE", "Check", "audit", "bind"]

BINDING = "binding.json"
SIGNATURE = "binding.sig"
SCHEMA = "binding/1"
_EVIDENCE = ("report.json", "transcript.gz", SUBMISSION)
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


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _stated(report: Mapping[str, Any], meta: Mapping[str, object]) -> _Json:
    """What report and transcript say about the run, field by field."""
    run = report["run"]
    return {
        "run": report["volatile"]["run_id"],
        "exercise": report["exercise"]["id"],
        "exercise_version": report["exercise"]["version"],
        "submission": report["submission"]["digest"],
        "suite": run["suite_digest"],
        "rubric": run["rubric_digest"],
        "seed_commitment": run["seed_commitment"],
        "grader_version": run["grader_version"],
        "judge_image": run["judge_image"],
        "candidate_image": run["candidate_image"],
        "analyst_image": meta["analyst_image"],
        "score": report["score"]["overall"],
        "band": report["score"]["band"],
    }


def bind(folder: Path, hidden_root: Path) -> None:
    """Bind a finished results folder, and sign it where a key is configured.

    Args:
        folder: holds report, transcript and submission.
        hidden_root: the folder ``hidden_tests``, where a key may be.

    Raises:
        UsageError: a key is configured that cannot be used.
    """
    key = configured_key(hidden_root)
    recording = read_transcript(folder / "transcript.gz")
    body: _Json = {"schema": SCHEMA, **_stated(read_report(folder / "report.json"), recording.meta)}
    body["files"] = {name: _digest(folder / name) for name in _EVIDENCE}
    text = json.dumps(body, indent=2, sort_keys=True) + "\n"
    (folder / BINDING).write_text(text, encoding="utf-8")
    if key is not None:
        (folder / SIGNATURE).write_text(key.sign(text.encode()).to_json(), encoding="utf-8")


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
        text = (folder / BINDING).read_text(encoding="utf-8")
        body = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} holds no bound result: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise UsageError(f"{folder / BINDING} is not of version {SCHEMA}")
    expected = public_key
    if expected is None and (key := configured_key(root / "hidden_tests")) is not None:
        expected = key.public_key
    return [
        _signature(folder, text, expected),
        *_files(folder, body),
        *_statements(folder, body),
        *_checkout(body, root),
    ]


def _signature(folder: Path, text: str, expected: bytes | None) -> Check:
    name, path = "signature", folder / SIGNATURE
    if not path.exists():
        state = "note" if expected is None else "differs"
        return Check(name, state, "not signed: no key was configured when it was graded")
    try:
        signature = Signature.from_json(path.read_text(encoding="utf-8"))
    except (UsageError, OSError, UnicodeDecodeError) as error:
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
    for name in _EVIDENCE:
        bound = told.get(name) if isinstance(told, dict) else None
        try:
            found = _digest(folder / name)
        except OSError as error:
            yield Check(name, "differs", f"cannot be read: {error.strerror}")
            continue
        if found == bound:
            yield Check(name, "ok", f"sha256 {found[:16]}")
        else:
            yield Check(name, "differs", "was changed after the run")


def _statements(folder: Path, body: _Json) -> Iterator[Check]:
    try:
        meta = read_transcript(folder / "transcript.gz").meta
        stated = _stated(read_report(folder / "report.json"), meta)
    except (GraderError, KeyError, TypeError) as error:
        yield Check("report", "differs", f"cannot be read: {error}")
        return
    for name, value in stated.items():
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
        "suite": suite.digest,
        "rubric": exercise.rubric.digest,
        "grader_version": grader.__version__,
    }
    other = [name for name, value in now.items() if body.get(name) != value]
    if other:
        yield Check("this checkout", "note", f"has another {', '.join(other)} than the run had")
    else:
        yield Check("this checkout", "ok", "has the run's hidden tests, rubric and version")
