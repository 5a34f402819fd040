"""How long ``grade review`` takes to open many results, what it keeps, how long pages take.

    python benchmarks/review.py [--results N] [--tests N] [--decided N] [--rounds N]

Makes the folder (each result with a report of its own), opens it as ``grade review`` does, and asks
every kind of page once to warm up and then `rounds` times, in this process and without a socket.
Prints the time to open, the memory kept, and the median wall time and size of each page; asserts
nothing. The labelled solutions of `imputation` have 78 hidden tests and some 40 static checks.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import re
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "unit"))
from review_board import PEOPLE, URL, hostile, write_cases
from sample_report import record

from grader.collect.cases import StoredCase
from grader.collect.roster import Person
from grader.decisions.events import Draft, Kind
from grader.record.graded import SUBMISSION, pack_files
from grader.report.report_json import build_report, write_report
from grader.review.app import make_app
from grader.review.board import Board
from grader.review.guard import Origin
from grader.review.sessions import Person as Reviewer
from grader.review.sessions import Sessions

ROOT = Path(__file__).resolve().parent.parent


def fill(folder: Path, results: int, tests: int) -> None:
    """A folder as ``grade collect`` leaves it."""
    made, files = hostile(PEOPLE[0], 0)
    more = [record(f"test_of_a_line_{n}") for n in range(tests - len(made.evidence))]
    run = dataclasses.replace(made.run, collected=len(made.evidence) + len(more))
    made = dataclasses.replace(made, evidence=(*made.evidence, *more), run=run)
    write_report(folder / "model.json", build_report(made))
    text = (folder / "model.json").read_text("utf-8")
    (folder / "model.json").unlink()
    packed = pack_files(files)
    people, cases = [], []
    for n in range(results):
        name = f"given{n:05d}.family{n:05d}"
        person = Person(
            name, f"user{n:05d}", f"Given{n:05d}", f"Family{n:05d}", f"{name}@example.org"
        )
        stored = folder / "runs" / f"{name}-{made.submission_digest[:8]}"
        stored.mkdir(parents=True)
        own = text.replace(json.dumps(made.submission_name), json.dumps(name), 1)
        (stored / "report.json").write_text(own, "utf-8")
        (stored / SUBMISSION).write_bytes(packed)
        people.append(person)
        cases.append(StoredCase(name, made.exercise_id, f"runs/{stored.name}", (name,)))
    write_cases(folder, tuple(people), cases)


def memory() -> float:
    """What this process keeps at present, MiB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def ask(board: Board, rounds: int) -> None:
    """Print what each page takes."""
    sessions = Sessions(board, "rosa")
    transport = httpx.ASGITransport(
        make_app(board, origin=Origin(URL), sessions=sessions, root=ROOT)
    )
    async with httpx.AsyncClient(transport=transport, base_url=URL) as browser:
        await browser.get(f"/enter/{sessions.link(Reviewer('rosa', organiser=True))}")
        table = (await browser.get("/table")).text
        found = re.findall(r'name="case" value="(\w+)"', table)
        compared = "&".join(f"case={alias}" for alias in found[:3])
        parts = ("", "/checks", "/check/3", "/source", "/notebook", "/feedback", "/history")
        pages = (
            "/", "/table", "/table?sort=score&down=1&page=5", "/progress", "/agreement", "/events",
            "/interviews", f"/compare?{compared}", *(f"/case/{found[0]}{part}" for part in parts),
        )  # fmt: skip
        for page in pages:
            spent, size = [], 0
            for _ in range(rounds + 1):
                clock = time.perf_counter()
                answer = await browser.get(page)
                spent.append(time.perf_counter() - clock)
                answer.raise_for_status()
                size = len(answer.content)
            told = re.sub(r"case[=/]\w+", "case", page)[:40]
            print(
                f"{told:<42}{1000 * statistics.median(spent[1:]):>7.0f} ms "
                f"{1000 * spent[0]:>7.0f} ms first {size / 1000:>6.0f} kB"
            )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=int, default=1000, metavar="N")
    parser.add_argument("--tests", type=int, default=20, metavar="N", help="in each result")
    parser.add_argument("--decided", type=int, default=500, metavar="N", help="by two reviewers")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="review-") as name:
        folder = Path(name)
        fill(folder, options.results, options.tests)
        before, clock = memory(), time.perf_counter()
        board = Board(folder, None)
        board.warm()
        seconds = time.perf_counter() - clock
        print(
            f"{options.results} results of {options.tests} tests: opened in {seconds:.1f} s, "
            f"{memory() - before:.0f} MiB more than before"
        )
        base = Draft(Kind.CONFIRM, "", "", "imputation", "problem_solving", 3, 3)
        board.log.add_all(
            [
                dataclasses.replace(base, by=by, case=c.alias, run=c.run, scoring=c.scoring)
                for by in ("ann", "ben")
                for c in list(board.cases.values())[: options.decided]
            ]
        )
        asyncio.run(ask(board, options.rounds))
        print(f"{memory() - before:.0f} MiB more than before at the end")
        board.close()


if __name__ == "__main__":
    main()
