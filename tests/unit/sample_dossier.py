"""A run with everything around it, to test the formats with."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from grader.intake.submission import digest_of
from grader.models import Cause, Evidence, SubmissionFile
from grader.report.dossier import Dossier
from grader.report.model import FileFact

sys.path.insert(0, str(Path(__file__).parent))
from sample_report import HOSTILE, record, report

ROOT = Path(__file__).resolve().parents[2]
ATTACK = HOSTILE + '</pre></script><img src=x onerror=alert(1)> "\'> {{7*7}} =HYPERLINK("x")'
STARTER = {"solution.py": b"def f():\n    raise NotImplementedError\n", "README.md": b"# Task\n"}


def files(source: str = "def f():\n    return 1\n") -> tuple[SubmissionFile, ...]:
    return (SubmissionFile("solution.py", source.encode("utf-8", "surrogatepass")),)


def dossier(text: str = "plain", *, notebook: str | None = None) -> Dossier:
    """A run in which the candidate's text is `text` wherever a candidate's text can be."""
    broken = record("test_two", message=text)
    failed = (
        dataclasses.replace(broken, where="solution.py:2 in f", remarks=(text,)),
        static(f"1 finding, none overlooked: solution.py:1 {text.split(';', maxsplit=1)[0]}"),
    )
    made = report(record("test_one"), record("test_three", criterion="scale"), *failed)
    captures = tuple(
        dataclasses.replace(c, stdout=type(c.stdout)(text)) for c in made.moment.captures
    )
    graded = files(f"def f():\n    return 1  # {' '.join(text.split())}\n".replace("\ud800", ""))
    made = dataclasses.replace(
        made,
        submission_notes=(text,),
        submission_digest=digest_of(graded),
        files=(FileFact("solution.py", 3, "b" * 64),),
        moment=dataclasses.replace(made.moment, captures=captures, warnings=(text,)),
    )
    return Dossier(made, graded, STARTER, notebook)


def static(message: str) -> Evidence:
    item = record("x", criterion="style", message=message)
    test = dataclasses.replace(item.test, id="static::style::x")
    return dataclasses.replace(item, test=test, cause=Cause.FINDING, where="solution.py:1")


def largest_dossier() -> Dossier:
    """The largest labelled solution by source, with 40 failed checks of 151."""
    folders = [path for path in ROOT.glob("hidden_tests/*/solutions/*") if path.is_dir()]
    largest = max(folders, key=lambda f: sum(p.stat().st_size for p in f.rglob("*.py")))
    graded = tuple(
        SubmissionFile(path.relative_to(largest).as_posix(), path.read_bytes())
        for path in sorted(largest.rglob("*.py"))
    )
    exercise = ROOT / "exercises" / largest.parents[1].name / "starter"
    starter = {
        path.relative_to(exercise).as_posix(): path.read_bytes()
        for path in exercise.rglob("*.*")
        if path.is_file()
    }
    message = "line of a message\n" * 40
    failed = [
        dataclasses.replace(record(f"t{n}", message=message), where="solution.py:5 in f")
        for n in range(40)
    ]
    passed = [record(f"p{n}") for n in range(110)]
    made = report(*failed, *passed, record("three", criterion="scale"))
    return Dossier(made, graded, starter)
