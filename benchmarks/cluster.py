"""What a cluster costs and survives: many gradings with a stand-in for the sandbox.

    python benchmarks/cluster.py --gradings 10000 --workers 10 --slots 10 --seconds 4

A scheduler and worker processes run on this machine, over TLS. A grading sleeps for as long as a
real one takes and leaves a small report; all else (packing, encryption, Dask, writing results) is
real. A random worker process is killed with SIGKILL for each thousand gradings, one at least.
Prints the efficiency (seconds of grading that count, over slots times wall seconds), how the
client's memory grew, and whether each submission has one result; asserts nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
from distributed import LocalCluster
from distributed.security import Security

from grader import pipeline
from grader.cluster.certs import ROLES, make_certs, read_certs
from grader.cluster.driver import Cluster, grade_on
from grader.cluster.processes import SETTINGS
from grader.cluster.station import CERTS, RESOURCE
from grader.collect.grading import Done, Results, Task, Work, key_of
from grader.exercise.contract import load_exercise
from grader.models import SubmissionFile
from grader.pipeline import Graded
from grader.record.results import ResultsFolder
from grader.report.report_json import build_report, write_report

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "unit"), str(ROOT / "benchmarks")]
from sample_report import answering, record, report  # noqa: E402 - a small finished report

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.cluster.bundle import Carried
    from grader.pipeline import Grading

EXERCISE = "imputation"
SEED = "5eed" * 8
SECONDS = "BENCHMARK_SECONDS"


class Sleeper:
    """Sleeps instead of grading."""

    def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
        """Sleep, and leave a report that answers for the submission."""
        del last
        time.sleep(float(os.environ[SECONDS]))
        base = report(record("test_one"), record("three", criterion="scale"))
        made = answering(base, grading)
        results = ResultsFolder(out, grading.submission.name)
        write_report(results.draft / "report.json", build_report(made))
        return Graded(made, results.publish())

    def close(self) -> None:
        """Nothing to give back."""


def sleepers(carried: Carried) -> Callable[[int], Any]:
    """In place of proving a sandbox."""
    del carried
    return lambda _number: Sleeper()


def numbered(base: Grading, path: Path) -> Grading:
    """The submission that `path` stands for; no file is read."""
    number = int(path.name)
    file = SubmissionFile("solution.py", f"x = {number}\n".encode() * 100)
    submission = dataclasses.replace(
        base.submission, name=f"candidate-{number:05}", digest=f"{number:064x}", files=(file,)
    )
    return dataclasses.replace(base, submission=submission)


def memory() -> float:
    """Resident memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def kill_some(
    cluster: LocalCluster, every: float, stop: threading.Event, killed: list[int]
) -> None:
    """Kill a random worker's process again and again; its parent starts another."""
    chance = random.Random(1)  # noqa: S311 - moments, no secrets
    while not stop.wait(every * chance.uniform(0.5, 1.5)):
        pids = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
        if pids:
            pid = chance.choice(pids)
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gradings", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--slots", type=int, default=10, help="of each worker")
    parser.add_argument("--seconds", type=float, default=4.0, help="that a grading takes")
    parser.add_argument("--no-kills", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as scratch:
        measure(options, Path(scratch))
    return 0


def everybody(certs: Path) -> Security:
    """TLS for all three roles in one object, as `LocalCluster` takes it."""
    pem = {role: str(certs / role / f"{role}.pem") for role in ROLES}
    return Security(
        tls_ca_file=str(certs / "client" / "ca.pem"),
        require_encryption=True,
        **{f"tls_{role}_{what}": pem[role] for role in ROLES for what in ("cert", "key")},
    )


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Start a cluster, grade, and print what came of it."""
    (folder / "solution.py").write_text("x = 1\n")
    exercise = load_exercise(EXERCISE, root=ROOT)
    base = pipeline.prepare(folder / "solution.py", root=ROOT, exercise=EXERCISE, seed=SEED)
    prepare = partial(numbered, base)
    paths = (Path(str(number)) for number in range(options.gradings))
    tasks = [Task(path, key_of(prepare(path))) for path in paths]
    certs = folder / "certs"
    make_certs(certs)
    os.environ |= {
        CERTS: str(certs),
        SECONDS: str(options.seconds),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    slots = options.workers * options.slots
    ideal = options.gradings * options.seconds / slots
    print(f"{options.gradings} gradings of {options.seconds:g} s on {slots} slots", flush=True)
    print(f"load before: {os.getloadavg()[0]:.2f}; ideal {ideal:.0f} s", flush=True)
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=options.workers,
            threads_per_worker=options.slots,
            protocol="tls://",
            host="127.0.0.1",
            security=everybody(certs),
            resources={RESOURCE: options.slots},
            dashboard_address=None,
            silence_logs=100,
            memory_limit=None,
        ) as cluster,
        Results(folder / "out") as results,
    ):
        work = Work(tasks, prepare, lambda: [exercise], {EXERCISE: base.seed}, results, folder)
        make = importlib.import_module("cluster").sleepers  # workers import it by that name
        where = Cluster(cluster.scheduler_address, read_certs(certs, "client"), make=make)
        killed: list[int] = []
        stop = threading.Event()
        kills = 0 if options.no_kills else max(1, options.gradings // 1000)
        if kills:
            threading.Thread(
                target=kill_some, args=(cluster, ideal / (kills + 1), stop, killed), daemon=True
            ).start()
        began, cpu = time.monotonic(), time.process_time()
        counted, failed, grown = grade(where, work, options.gradings)
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
        stop.set()
        folders = sum(1 for path in results.folder.iterdir() if path.is_dir())
    print(f"wall {wall:.0f} s; efficiency {ideal / wall:.3f}")
    print(f"client and scheduler: {cpu / options.gradings * 1000:.1f} ms of CPU a grading")
    print(f"client's memory: {grown[0]:.0f} MB after a tenth, {grown[-1]:.0f} MB at the end")
    print(f"{counted} submissions counted, {folders} results, {failed} failed")
    print(f"workers killed: {len(killed)}")


def grade(where: Cluster, work: Work, total: int) -> tuple[int, int, list[float]]:
    """Grade all; how many submissions counted and failed, and the client's memory by tenths."""
    counted, failed = set(), 0
    grown: list[float] = []
    for task, outcome in grade_on(where, work, lambda text: print("·", text, flush=True)):
        if isinstance(outcome, Done):
            counted.add(task.key)
            work.results.add(task.key, outcome.folder)
        else:
            failed += 1
        if (len(counted) + failed) % max(1, total // 10) == 0:
            grown.append(memory())
            print(f"{len(counted):6} graded, client {grown[-1]:.0f} MB", flush=True)
    return len(counted), failed, grown


if __name__ == "__main__":
    sys.exit(main())
