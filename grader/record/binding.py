"""Binding a run's result, as it is written, to all that the score depends on.

``binding.json`` names the submission, the hidden tests, the rubric, the images, the seed (as a
commitment), the grader's version and a nonce, with digests of the files of evidence and of the
pages that were written with them. Where a key is configured, ``binding.sig`` signs the bytes of
``binding.json``, so a result can neither be edited nor passed off as that of another submission or
another day. `grader.proof.audit` checks it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from grader.files import open_regular
from grader.record.graded import SUBMISSION
from grader.record.signing import configured_key
from grader.record.transcript import read_meta

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "BINDING",
    "EVIDENCE",
    "SCHEMA",
    "SIGNATURE",
    "bind",
    "file_digest",
    "pages_in",
    "stated",
]

BINDING = "binding.json"
SIGNATURE = "binding.sig"
SCHEMA = "binding/1"
EVIDENCE = ("report.json", "transcript.gz", SUBMISSION)


def file_digest(path: Path) -> str:
    """SHA-256 of a regular file, hex."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def stated(report: Mapping[str, Any], meta: Mapping[str, object]) -> dict[str, Any]:
    """What report and transcript say about the run, field by field."""
    run = report["run"]
    return {
        "run": report["volatile"]["run_id"],
        "exercise": report["exercise"]["id"],
        "exercise_version": report["exercise"]["version"],
        "submission": report["submission"]["digest"],
        "suite": run["suite_digest"],
        "scoring": run["scoring_digest"],
        "seed_commitment": run["seed_commitment"],
        "grader_version": run["grader_version"],
        "judge_image": run["judge_image"],
        "candidate_image": run["candidate_image"],
        "environment": run["environment"]["digest"],
        "analyst_image": meta["analyst_image"],
        "score": report["score"]["overall"],
        "band": report["score"]["band"],
    }


def bind(folder: Path, report: Mapping[str, Any], hidden_root: Path) -> None:
    """Bind a finished results folder, and sign it where a key is configured.

    Args:
        folder: holds report, transcript and submission.
        report: the document that ``report.json`` holds.
        hidden_root: the folder ``hidden_tests``, where a key may be.

    Raises:
        UsageError: a key is configured that cannot be used.
    """
    key = configured_key(hidden_root)
    meta = read_meta(folder / "transcript.gz")
    body: dict[str, Any] = {"schema": SCHEMA, **stated(report, meta)}
    body["files"] = {name: file_digest(folder / name) for name in EVIDENCE}
    body["pages"] = {name: file_digest(folder / name) for name in pages_in(folder)}
    text = json.dumps(body, indent=2, sort_keys=True) + "\n"
    (folder / BINDING).write_text(text, encoding="utf-8")
    if key is not None:
        (folder / SIGNATURE).write_text(key.sign(text.encode()).to_json(), encoding="utf-8")


def pages_in(folder: Path) -> list[str]:
    """All that lies in a results folder besides the evidence and the binding, by name."""
    known = {*EVIDENCE, BINDING, SIGNATURE}
    return sorted(path.name for path in folder.iterdir() if path.name not in known)
