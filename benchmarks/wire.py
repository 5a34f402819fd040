"""What isolation costs: containers, fresh processes, calls. Prints medians and ratios of one run.

The floor is the same suite in author mode: the same calls, encoded and decoded, in one process.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.exercise.contract import load_exercise
from grader.exercise.suite import Suite
from grader.intake.submission import digest_of
from grader.models import Submission, SubmissionFile
from grader.sandbox.boxes import CandidateBox, JudgeBox
from grader.sandbox.workbench import Workbench, Worker

ROOT = Path(__file__).resolve().parent.parent
CALLS = 400
BURST = 10
FRAME = """
import functools
import numpy as np, pandas as pd

@functools.cache
def frame():
    return pd.DataFrame({"a": np.arange(1000.0), "b": np.arange(1000.0), "c": np.arange(1000),
        "d": pd.array(range(1000), dtype="Int64"), "e": [f"text {i}" for i in range(1000)],
        "f": pd.Categorical(["x", "y"] * 500),
        "g": pd.date_range("2026", periods=1000, unit="us")})
"""
SOLUTION = f"""{FRAME}

def double(x):
    return 2 * x


def echo(x):
    return x


def take(df):
    return len(df)


def give():
    return frame()
"""
SUITE = f'''{FRAME}
import statistics, time
import pytest
from grader.wire import codec

@pytest.mark.criterion("runs")
def test_calls(solution, measure):
    """Small calls, frames of 1,000 rows and 7 columns, and as many bytes, in turn."""
    sent = frame()
    plain = codec.encode(sent)
    calls = {{
        "call": lambda: solution.double(2),
        "frame": lambda: solution.echo(sent),
        "frame, argument": lambda: solution.take(sent),
        "frame, result": lambda: solution.give(),
        "the same as bytes": lambda: solution.echo(plain),
    }}
    seen = {{name: [] for name in calls}}
    for _ in range({CALLS // BURST}):
        for name, call in calls.items():
            call()  # pays for what the calls before it left to do
            for _ in range({BURST}):
                start = time.perf_counter_ns()
                call()
                seen[name].append(time.perf_counter_ns() - start)
    for name, values in seen.items():
        measure(name, statistics.median(values) / 1e6, "ms")

@pytest.mark.criterion("runs")
def test_fresh(solution, measure):
    """Fresh processes."""
    solution.double(1)
    with solution.stopwatch() as watch:
        for _ in range(30):
            solution.fresh()
            solution.double(1)
    measure("fresh", watch.wall_ns / 30 / 1e6, "ms")
'''


def in_sandbox(bench: Workbench) -> dict[str, float]:
    """Milliseconds by name."""
    exercise = load_exercise("imputation", root=ROOT)
    files = (SubmissionFile("solution.py", SOLUTION.encode()),)
    submission = Submission("bench", Path("bench"), digest_of(files), files)
    suite = Suite({"test_bench.py": SUITE.encode()}, "bench")
    with Worker(bench) as worker, tempfile.TemporaryDirectory() as folder:
        record = worker.run(
            exercise,
            submission,
            suite,
            seed="5eed" * 8,
            transcript=Path(folder) / "transcript.gz",
            meta={},
            progress=lambda done, total: None,  # noqa: ARG005
            timings={},
        )
    return figures(record.evidence)


def figures(evidence: list[dict[str, object]]) -> dict[str, float]:
    """Measurements by name; a failed test stops the benchmark."""
    found: dict[str, float] = {}
    for item in evidence:
        if str(item["id"]).startswith("static::"):
            continue  # one-liners are no style to review
        if item["status"] != "passed":
            sys.exit(f"{item['id']} failed: {item['message']}")
        for measurement in item["measurements"]:  # type: ignore[attr-defined]
            found[measurement["name"]] = measurement["value"]
    return found


def in_process() -> dict[str, float]:
    """The same suite in author mode."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite").mkdir()
        (folder / "solution").mkdir()
        (folder / "solution/solution.py").write_text(SOLUTION)
        (folder / "suite/test_bench.py").write_text(SUITE)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["--solution", str(folder / "solution"), "--evidence", str(folder / "told")]
        command += [str(folder / "suite")]
        subprocess.run(command, capture_output=True, check=True)
        return figures([json.loads(line) for line in (folder / "told").read_text().splitlines()])


def containers(bench: Workbench) -> dict[str, float]:
    """Milliseconds from create to ready, and to remove, medians of five."""
    exercise = load_exercise("imputation", root=ROOT)
    seen: dict[str, list[float]] = {"candidate ready": [], "judge ready": [], "teardown": []}
    for _ in range(5):
        for name in ("candidate", "judge"):
            clock = time.perf_counter()
            box: CandidateBox | JudgeBox
            if name == "candidate":
                box = CandidateBox(
                    bench.engine, bench.images_for(exercise).candidate, exercise, slot=0
                )
            else:
                box = JudgeBox(bench.engine, bench.images_for(exercise).judge, slot=0)
            box.wait_ready()
            seen[f"{name} ready"].append(time.perf_counter() - clock)
            clock = time.perf_counter()
            box.remove()
            seen["teardown"].append(time.perf_counter() - clock)
    return {name: statistics.median(values) * 1000 for name, values in seen.items()}


def main() -> None:
    """Print a table; with the argument ``calls``, without the lives of containers."""
    bench = Workbench(print)
    if sys.argv[1:] != ["calls"]:
        for name, value in containers(bench).items():
            print(f"{name:18}{value:9.1f} ms")
    isolated, plain = in_sandbox(bench), in_process()
    print(f"\n{'':18}{'sandbox':>9}   {'one process':>11}   ratio   above a small call")
    for name, value in isolated.items():
        line = f"{name:18}{value:9.3f} ms{plain[name]:11.3f} ms{value / plain[name]:8.1f}"
        extra = "" if name in ("call", "fresh") else f"{value - isolated['call']:18.3f} ms"
        print(line + extra)


if __name__ == "__main__":
    main()
