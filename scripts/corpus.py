"""Grade every labelled solution in the real sandbox and compare with what its label says.

    python scripts/corpus.py [--exercise ID] [--seeds N] [--jobs K] [--only TEXT]
                             [--write] [--table FILE] [--as-notebooks]

Without ``--exercise`` it grades those of all exercises, each with as many seeds as `SEEDS` says.
With ``--as-notebooks`` every module is handed in as a notebook of the same code, and must get the
same levels.

A labelled solution is a folder ``hidden_tests/<exercise>/solutions/<case>`` with the candidate's
files and an ``expected.toml``::

    about = "The mean in place of the median."
    source = "exercises/imputation/starter"    # optional: the files are elsewhere
    failing = ["core"]                          # exactly these criteria have a failed hidden test
    tests = ["test_core.py::test_fills_an_export", …]   # optional: exactly these tests fail
    band = "meets"
    [levels]                                    # of every assessed category
    code_correctness = "okay"
    [limits]                                    # optional, to make a hopeless case cheap
    wall_seconds = 8

Exit code 0 when every label holds on every seed, 1 otherwise.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import queue
import shutil
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from grader import pipeline
from grader.exercise import load_exercise
from grader.notebook.convert import notebook_of
from grader.report import report_json
from grader.sandbox.workbench import Workbench, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
LABEL = "expected.toml"
ENTRY = "solution.py"
SEEDS = {"imputation": 20, "inference_pipeline": 20}  # their tests draw the most; the others get
OTHER_SEEDS = 5
BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"
MASTER = "takehome-grader corpus"
KEYS = {"about", "source", "failing", "tests", "band", "levels", "limits"}


@dataclass(frozen=True)
class Case:
    """One labelled solution.

    Attributes:
        files: the folder that holds the candidate's files.
        levels: category → level name; a category that is missing here must not be assessed.
    """

    exercise: str
    name: str
    folder: Path
    files: Path
    failing: frozenset[str]
    tests: frozenset[str] | None
    band: str
    levels: Mapping[str, str]
    limits: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a grading gave, in a label's terms."""

    failing: frozenset[str]
    tests: frozenset[str]
    band: str
    levels: Mapping[str, str]
    overall: float
    stable: bytes
    seconds: float
    test_seconds: float


def load_case(folder: Path, exercise: str) -> Case:
    """Read one label.

    Raises:
        ValueError: it has other keys than a label has.
    """
    raw = tomllib.loads((folder / LABEL).read_text(encoding="utf-8"))
    if unknown := raw.keys() - KEYS:
        raise ValueError(f"{folder / LABEL}: unknown keys {sorted(unknown)}")
    return Case(
        exercise=exercise,
        name=folder.name,
        folder=folder,
        files=ROOT / raw["source"] if "source" in raw else folder,
        failing=frozenset(raw["failing"]),
        tests=frozenset(raw["tests"]) if "tests" in raw else None,
        band=raw["band"],
        levels=raw["levels"],
        limits=raw.get("limits", {}),
    )


def exercises() -> list[str]:
    """All exercises that have labelled solutions."""
    folders = (ROOT / "hidden_tests").glob(f"*/solutions/*/{LABEL}")
    return sorted({folder.parents[2].name for folder in folders})


def load_cases(exercise: str) -> list[Case]:
    """All labelled solutions of an exercise, by name."""
    folder = ROOT / "hidden_tests" / exercise / "solutions"
    return [load_case(path.parent, exercise) for path in sorted(folder.glob(f"*/{LABEL}"))]


def stage(case: Case, below: Path, *, as_notebook: bool = False) -> Path:
    """Copy the files that a candidate would hand in; the label stays behind.

    Args:
        case: whose files.
        below: the folder to put them in.
        as_notebook: hand in a notebook of the same code in place of the module.
    """
    target = below / case.name
    left_out = shutil.ignore_patterns(LABEL, "__pycache__", ".pytest_cache", "*.pyc")
    shutil.copytree(case.files, target, ignore=left_out)
    module = target / ENTRY
    if as_notebook and module.exists():
        notebook = notebook_of(module.read_text(encoding="utf-8"), case.name.replace("_", " "))
        module.with_suffix(".ipynb").write_bytes(notebook)
        module.unlink()
    return target


def seeds(count: int) -> list[str]:
    """The 128-bit seeds that every run of this script uses; no team's seed is among them."""
    return [hashlib.sha256(f"{MASTER} {n}".encode()).hexdigest()[:32] for n in range(count)]


def read_outcome(report: Mapping[str, object], seconds: float = 0.0) -> Outcome:
    """Read a ``report/1`` document."""
    score, evidence = report["score"], report["evidence"]
    hidden = [item for item in evidence if item["id"].startswith("test_")]  # not the style review
    failed = [item for item in hidden if item["status"] != "passed"]
    return Outcome(
        failing=frozenset(item["criterion"] for item in failed),
        tests=frozenset(item["id"] for item in failed),
        band=score["band"],
        levels={c["id"]: c["level_name"] for c in score["categories"] if c["assessed"]},
        overall=score["overall"],
        stable=report_json.stable_bytes(dict(report)),
        seconds=seconds,
        test_seconds=sum(item["seconds"] for item in report["volatile"]["tests"]),
    )


def problems(case: Case, outcome: Outcome) -> list[str]:
    """How an outcome differs from the label; empty when it holds."""
    found = []
    if outcome.failing != case.failing:
        found.append(f"failing criteria {sorted(outcome.failing)}, not {sorted(case.failing)}")
    if case.tests is not None and outcome.tests != case.tests:
        more, less = sorted(outcome.tests - case.tests), sorted(case.tests - outcome.tests)
        found.append(f"fails besides: {more}; passes against the label: {less}")
    if dict(outcome.levels) != dict(case.levels):
        found.append(f"levels {dict(outcome.levels)}, not {dict(case.levels)}")
    if outcome.band != case.band:
        found.append(f"band {outcome.band} ({outcome.overall:.2f}), not {case.band}")
    return found


def table(found: Mapping[str, Sequence[frozenset[str]]], criteria: Sequence[str]) -> str:
    """What was seen in each case, as Markdown.

    Args:
        found: case → failing criteria of each grading.
        criteria: columns, in order; those that nothing failed are left out.
    """
    columns = [
        c for c in criteria if any(c in failing for runs in found.values() for failing in runs)
    ]
    lines = [
        f"| case | {' | '.join(columns)} |",
        f"|---|{':-:|' * len(columns)}",
    ]
    for case, runs in sorted(found.items()):
        cells = []
        for column in columns:
            times = sum(column in failing for failing in runs)
            cells.append("" if not times else "X" if times == len(runs) else f"{times}/{len(runs)}")
        lines.append(f"| `{case}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def replace_table(path: Path, text: str) -> None:
    """Put a table between the two marks of a Markdown file.

    Raises:
        ValueError: the file has no such marks.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path}: put the lines {BEGIN} and {END} where the table goes")
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")
    draft.replace(path)


class Bench:
    """One connection, one set of images and K workers for any number of gradings."""

    def __init__(
        self, jobs: int, say: Callable[[str], None], *, as_notebooks: bool = False
    ) -> None:
        self._as_notebooks = as_notebooks
        self._bench = Workbench(say)
        self._workers = [Worker(self._bench, number=n, ahead=True) for n in range(jobs)]
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._folder = tempfile.TemporaryDirectory(prefix="corpus-")
        self._pool = ThreadPoolExecutor(max_workers=jobs)
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._folder.cleanup()

    def grade(self, jobs: Iterable[tuple[Case, str]]) -> Iterator[tuple[Case, str, Outcome]]:
        """Grade each case with its seed; results come as they are ready."""
        futures = {}
        for case, seed in jobs:
            self._count += 1
            folder = Path(self._folder.name) / str(self._count)
            futures[self._pool.submit(self._one, case, seed, folder)] = (case, seed)
        for future in as_completed(futures):
            yield (*futures[future], future.result())

    def _one(self, case: Case, seed: str, folder: Path) -> Outcome:
        submission = stage(case, folder, as_notebook=self._as_notebooks)
        grading = pipeline.prepare(submission, root=ROOT, exercise=case.exercise, seed=seed)
        if case.limits:
            limits = dataclasses.replace(grading.exercise.limits, **case.limits)
            exercise = dataclasses.replace(grading.exercise, limits=limits)
            grading = dataclasses.replace(grading, exercise=exercise)
        worker = self._idle.get()
        start = time.perf_counter()
        try:
            graded = pipeline.run(worker, self._bench, grading, out=folder / "results")
        finally:
            self._idle.put(worker)
        seconds = time.perf_counter() - start
        outcome = read_outcome(report_json.build_report(graded.report), seconds)
        shutil.rmtree(folder)
        return outcome


def cheapest_last(cases: Sequence[Case]) -> list[Case]:
    """Those that wait for a limit first, so that the others are graded meanwhile."""
    return sorted(cases, key=lambda case: (not case.limits, case.name))


def _write(case: Case, outcome: Outcome) -> None:
    """Put what came out into the label; what it means is the author's to check."""
    path = case.folder / LABEL
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    lines = [f'about = "{raw.get("about", "")}"']
    if "source" in raw:
        lines.append(f'source = "{raw["source"]}"')
    failing = ", ".join(f'"{name}"' for name in sorted(outcome.failing))
    lines.append(f"failing = [{failing}]")
    if "tests" in raw:
        lines += ["tests = [", *(f'  "{name}",' for name in sorted(outcome.tests)), "]"]
    lines += [f'band = "{outcome.band}"', "", "[levels]"]
    lines += [f'{name} = "{level}"' for name, level in outcome.levels.items()]
    if case.limits:
        lines += ["", "[limits]", *(f"{key} = {value}" for key, value in case.limits.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exercise", choices=exercises(), metavar="ID", help="only this one")
    parser.add_argument("--seeds", type=int, metavar="N", help="as many for every exercise")
    parser.add_argument("--jobs", type=int, default=2, metavar="K")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds TEXT")
    parser.add_argument(
        "--write",
        action="store_true",
        help="rewrite the labels with what comes out; then read the difference",
    )
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="write what each case failed into this Markdown"
    )
    parser.add_argument(
        "--as-notebooks", action="store_true", help="hand in modules as notebooks of the same code"
    )
    options = parser.parse_args()
    chosen = [options.exercise] if options.exercise else exercises()
    cases = [c for name in chosen for c in load_cases(name) if options.only in c.name]
    if options.as_notebooks:
        cases = [c for c in cases if (c.files / ENTRY).exists()]
    if not cases:
        sys.stderr.write(f"corpus: no labelled solution of {', '.join(chosen)} matches\n")
        return 2
    count = {name: options.seeds or SEEDS.get(name, OTHER_SEEDS) for name in chosen}
    runs = [
        (case, seed)
        for number, seed in enumerate(seeds(max(count.values())))
        for case in cheapest_last(cases)
        if number < count[case.exercise]
    ]
    started, wrong, test_seconds = time.perf_counter(), 0, []
    seen: dict[str, list[frozenset[str]]] = {}
    with Bench(options.jobs, _say, as_notebooks=options.as_notebooks) as bench:
        width = max(len(case.name) for case in cases)
        print(f"{'':>9}  {'case':<{width}} {'score':>5} {'s':>5}  failing criteria")
        for done, (case, seed, outcome) in enumerate(bench.grade(runs), 1):
            if options.write:
                _write(case, outcome)
            found = [] if options.write else problems(case, outcome)
            wrong += bool(found)
            seen.setdefault(case.name, []).append(outcome.failing)
            test_seconds.append(outcome.test_seconds)
            mark = "!" if found else " "
            failing = ", ".join(sorted(outcome.failing)) or "none"
            print(
                f"{done:>4}/{len(runs):<4}{mark} {case.name:<{width}} {outcome.overall:>5.2f} "
                f"{outcome.seconds:>5.1f}  {failing}",
                flush=True,
            )
            for line in found:
                print(f"{'':>12}seed {seed}: {line}")
    if options.table:
        criteria = [c for name in chosen for c in load_exercise(name, root=ROOT).rubric.criteria]
        replace_table(options.table, table(seen, list(dict.fromkeys(criteria))))
    middle = sorted(test_seconds)[len(test_seconds) // 2]
    print(
        f"{len(cases)} labelled solutions, {len(runs)} gradings: {len(runs) - wrong} as labelled, "
        f"{wrong} not; {time.perf_counter() - started:.0f} s, {middle:.1f} s of tests (median)"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
