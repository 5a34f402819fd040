"""What ``grade collect`` itself takes, where every submission has been graded already.

    python benchmarks/collect.py [--submissions N]

Makes a folder of N small submissions, a roster of N people, and a finished run for each with a
small report of its own, then runs the command: over the whole folder with all gradebooks, one of
two shards, and the merge of two. Prints wall seconds, CPU seconds and the peak of memory of each;
asserts nothing.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader import pipeline
from grader.record.results import ResultsFolder
from grader.report.report_json import build_report, write_report

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "unit"))
from sample_report import answering, record, report  # noqa: E402 - a small finished report

EXERCISE = "imputation"
SEED = "5eed" * 8
SOURCE = ROOT / "hidden_tests" / EXERCISE / "solutions" / "reference" / "solution.py"


def fill(folder: Path, count: int) -> None:
    """Submissions, a roster, and finished runs in ``whole``, ``part-1`` and ``part-2``."""
    source = SOURCE.read_text(encoding="utf-8")
    offered = pipeline.Offered(ROOT, EXERCISE)
    base = report(record("test_one"), record("three", criterion="scale"))
    with (folder / "roster.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("identifier", "name", "email"))
        for number in range(count):
            name = f"given{number:05}.family{number:05}"
            person = (name, f"Given{number:05} Family{number:05}", f"{name}@example.org")
            rows.writerow(person)
            path = folder / "submissions" / name / "solution.py"
            path.parent.mkdir(parents=True)
            path.write_text(f"{source}\n# {number}\n", encoding="utf-8")
            grading = pipeline.prepare(
                path.parent, root=ROOT, exercise=EXERCISE, seed=SEED, offered=offered
            )
            made = answering(base, grading)
            part = int(grading.submission.digest[:16], 16) % 2 + 1
            for out in ("whole", f"part-{part}"):
                results = ResultsFolder(folder / out / "runs", name)
                write_report(results.draft / "report.json", build_report(made))
                results.publish()


def measure(what: str, *arguments: str) -> None:
    """Run the command and print what it took."""
    clock = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "collect", *arguments, "--root", str(ROOT)],
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - clock
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{what:<34}{seconds:>7.1f} s {cpu:>7.1f} s of CPU {usage.ru_maxrss / 1000:>7.0f} MB, "
        f"exit code {code}"
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=10_000, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="collect-") as name:
        folder = Path(name)
        fill(folder, options.submissions)
        given = (
            *(str(folder / "submissions"), "--exercise", EXERCISE, "--seed", SEED),
            *("--roster", str(folder / "roster.csv")),
        )
        print(f"{options.submissions:,} submissions, nothing to grade:")
        books = ("--gradebook", "all", "--assignment", "Task")
        measure("whole folder, all gradebooks", *given, *books, "--out", str(folder / "whole"))
        parts = [str(folder / f"part-{number}") for number in (1, 2)]
        for number, part in enumerate(parts, 1):
            measure(f"shard {number} of 2", *given, "--shard", f"{number}/2", "--out", part)
        merged = str(folder / "merged")
        measure("merge of two shards", "--merge", *parts, "--out", merged, *books)


if __name__ == "__main__":
    main()
