"""Run the hostile corpus: every attack beside its twin, and what each one changed.

    python scripts/hostile.py [--exercise ID] [--rounds N] [--jobs K] [--only TEXT] [--twin CASE]

An attack is a payload put into a twin, the same submission without it (`tests/corpus/hostile`).
What should come out is data:

    SAME    every verdict is the twin's, and no level is higher
    DENY    the same; the payload itself stops the import if anything was allowed
    FAIL    tests are lost (``costs``: all or some), none is gained, no level is higher
    BOUND   like FAIL or SAME, and the run ends within its wall limit + 2 s
    INERT   like SAME or FAIL, and the text acts in no file of the results folder
    REJECT  refused at intake with this code, before anything runs
    REFUSE  a request to the review app that it answers with this status, and stores nothing

Besides, for every run: each collected test has one verdict, the transcript replays to the same
evidence, and no canary reaches the candidate's container or feedback. What the groups `report` and
`review` leave is opened in the review app, in whose pages nothing of it may act. At the end the
host must look as it did before (`grader.sandbox.leftovers`), so run it on a machine that does
nothing else.

Exit code 0 when all of that holds, 1 otherwise.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import gzip
import hashlib
import importlib.util
import os
import queue
import shutil
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import docker

from grader import pipeline
from grader.authoring.labelled import load_case, stage
from grader.errors import GraderError, SubmissionRejected
from grader.exercise.contract import load_exercise
from grader.intake.submission import digest_of, read_submission
from grader.models import Submission, SubmissionFile
from grader.proof.replay import replay
from grader.report import report_json
from grader.sandbox.leftovers import left_behind, snapshot
from grader.sandbox.replayer import Replayer
from grader.sandbox.workbench import Workbench, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from grader.models import Exercise

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "corpus" / "hostile"
TWIN = "mediocre"  # passes some tests and fails others: both ways of forging would show
TWINS = {"leakage_debug": "pair_random_split_and_hard_coded_value"}  # its TWIN fits forests
GRACE_SECONDS = 2.0
HOST_SECONDS = 3.0  # of CPU that the host may spend on an attack beyond what it spent on the twin
MARK = "hostile-payload-ran-to-its-end"
EXPECTED = {"SAME", "DENY", "FAIL", "BOUND", "INERT", "REJECT"}
PLACES = {"first", "last", "call", "replace"}
SHOWN = {"report", "review"}  # groups whose results the review app shows
KEYS = {
    "id", "about", "place", "expect", "costs", "causes", "ends", "exercises", "limits", "files",
    "payload", "twin",
}  # fmt: skip
PRELUDE = """
def _refused(call, *arguments):
    try:
        result = call(*arguments)
    except (OSError, ValueError, AttributeError, MemoryError, ImportError, RuntimeError):
        return
    if result != -1:
        raise SystemExit(f"allowed: {call} {arguments}")
"""
AT_EACH_CALL = """
def _wrapped(function):
    import functools
    @functools.wraps(function)
    def wrapper(*arguments, **named):
        payload()
        print("{mark}", flush=True)
        return function(*arguments, **named)
    return wrapper
for _name in {names}:
    _found = globals().get(_name)
    if isinstance(_found, type):
        for _method in {methods}:
            if callable(vars(_found).get(_method)):
                setattr(_found, _method, _wrapped(vars(_found)[_method]))
    elif callable(_found):
        globals()[_name] = _wrapped(_found)
"""


@dataclass(frozen=True)
class Attack:
    """One attack and what it may change.

    Attributes:
        group: the part of the threat model that it belongs to.
        place: where the payload goes: before or after the twin's code, into each call of the
            contract's functions, or in their place.
        expect: see the module's docstring; REJECT is followed by the code.
        costs: of FAIL: ``all`` or ``some`` of the twin's passed tests are lost.
        causes: one of these is the cause of every lost test; empty for any.
        ends: the payload runs to its end in at least one test, which leaves a mark.
        exercises: only these; empty for all.
        limits: in place of the exercise's.
        twin: the labelled solution that the payload is put into; empty for the usual one.
    """

    group: str
    name: str
    about: str
    expect: str
    place: str = "last"
    costs: str = ""
    causes: frozenset[str] = frozenset()
    ends: bool = True
    exercises: frozenset[str] = frozenset()
    limits: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    payload: str = ""
    twin: str = ""
    archive: Callable[[Path], Path] | None = None
    request: object | None = None

    @property
    def graded(self) -> bool:
        """Whether it is a payload that is graded; archives and requests are not."""
        return self.archive is None and self.request is None


@dataclass(frozen=True)
class Vector:
    """What a run gave."""

    verdicts: Mapping[str, str]
    causes: Mapping[str, str]
    levels: Mapping[str, int]
    overall: float
    marked: bool
    seconds: float
    host_seconds: float  # CPU of the thread that relays, scores and reports


@dataclass(frozen=True)
class Finding:
    """One attack on one exercise."""

    attack: Attack
    exercise: str
    problems: tuple[str, ...]
    outcome: str
    over: float  # seconds past the wall limit


def load_attacks() -> list[Attack]:
    """All attacks of the corpus, by group and name.

    Raises:
        ValueError: an attack is malformed, or two have one name.
    """
    found = [
        _attack(path.stem, raw)
        for path in sorted(CORPUS.glob("*.toml"))
        for raw in tomllib.loads(path.read_text(encoding="utf-8"))["attack"]
    ]
    found += [*_archives(), *_requests()]
    names = collections.Counter((attack.group, attack.name) for attack in found)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"two attacks are called {twice[0]}")
    return found


def _attack(group: str, raw: Mapping[str, Any]) -> Attack:
    if unknown := raw.keys() - KEYS:
        raise ValueError(f"{group}: {raw.get('id')}: unknown keys {sorted(unknown)}")
    expect = raw["expect"]
    if expect.partition("(")[0] not in EXPECTED or raw.get("place", "last") not in PLACES:
        raise ValueError(f"{group}: {raw['id']}: no such expectation or place")
    return Attack(
        group=group,
        name=raw["id"],
        about=raw["about"],
        expect=expect,
        place=raw.get("place", "last"),
        costs=raw.get("costs", ""),
        causes=frozenset(raw.get("causes", [])),
        ends=raw.get("ends", expect in {"SAME", "DENY"}),
        exercises=frozenset(raw.get("exercises", [])),
        limits=raw.get("limits", {}),
        files={name: text.encode() for name, text in raw.get("files", {}).items()},
        payload=raw.get("payload", ""),
        twin=raw.get("twin", ""),
    )


def _archives() -> list[Attack]:
    module = _module(CORPUS / "archives.py")
    return [
        Attack("intake", name, (make.__doc__ or "").strip(), expect, archive=make, ends=False)
        for name, (expect, make) in sorted(module.ARCHIVES.items())
    ]


def _requests() -> list[Attack]:
    module = _module(CORPUS / "review.py")
    return [
        Attack(
            "review",
            name,
            request.about,
            f"REFUSE({min(request.expect)})",
            request=request,
            ends=False,
        )
        for name, request in sorted(module.REQUESTS.items())
    ]


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"hostile_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def armed(twin: Submission, attack: Attack, names: Mapping[str, Sequence[str]]) -> Submission:
    """The twin with the payload in it.

    Args:
        twin: the submission without it.
        attack: what to put in.
        names: what the contract asks for: function or class → its methods.
    """
    files = {file.path: file.data for file in twin.files}
    entry = "solution.py"
    source = files[entry].decode()
    head, body = "", source
    if (future := "from __future__ import annotations\n") in source:
        head, _, body = source.partition(future)
        head += future
    mark = f'\nprint("{MARK}", flush=True)\n'
    match attack.place:
        case "first":
            text = f"{head}{PRELUDE}\n{attack.payload}{mark}{body}"
        case "last":
            text = f"{source}\n{PRELUDE}\n{attack.payload}{mark}"
        case "call":
            methods = sorted({method for of in names.values() for method in of})
            hook = AT_EACH_CALL.format(mark=MARK, names=sorted(names), methods=methods)
            text = f"{source}\n{PRELUDE}\n{attack.payload}\n{hook}"
        case _:
            swap = f"for _name in {sorted(names)}:\n    globals()[_name] = evil\n"
            text = f"{source}\n{PRELUDE}\n{attack.payload}\n{swap}{mark}"
    files[entry] = text.encode()
    files.update(attack.files)
    items = tuple(SubmissionFile(path, files[path]) for path in sorted(files))
    return Submission(attack.name, Path(attack.name), digest_of(items), items)


_Base = tuple[str, str, tuple[tuple[str, float], ...], str]


class Range:
    """A root with canaries in its hidden tests, and workers to run attacks in it."""

    def __init__(self, jobs: int, say: Callable[[str], None], twin: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hostile-")
        self.base = Path(self._folder.name)
        self.canary = f"canary-{os.urandom(12).hex()}"
        os.environ["HOSTILE_CANARY"] = self.canary
        self.root = self._planted()
        self._twin_case = twin
        self._bench = Workbench(say)
        self._workers = [Worker(self._bench, number=n, ahead=True) for n in range(jobs)]
        self._replayers = [Replayer() for _ in range(jobs)]
        self._idle: queue.SimpleQueue[tuple[Worker, Replayer]] = queue.SimpleQueue()
        for pair in zip(self._workers, self._replayers, strict=True):
            self._idle.put(pair)
        self._pool = ThreadPoolExecutor(max_workers=jobs)
        self._twins: dict[_Base, Vector] = {}
        self._plain: dict[tuple[str, str], Submission] = {}
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        for box in (*self._workers, *self._replayers):
            box.close()
        self._folder.cleanup()

    def _planted(self) -> Path:
        """A copy of what is graded with, and a canary in every hidden Python file."""
        root = self.base / "root"
        left_out = shutil.ignore_patterns("__pycache__", "solutions", ".grader-seed")
        for name in ("exercises", "hidden_tests", "requirements"):
            shutil.copytree(ROOT / name, root / name, ignore=left_out)
        for path in (root / "hidden_tests").rglob("*.py"):
            path.write_text(f"{path.read_text()}\n\nCANARY = {self.canary!r}\n")
        return root

    def twin(self, exercise: str, case: str = "") -> Submission:
        """The submission that a payload is put into."""
        case = case or self._twin_case or TWINS.get(exercise, TWIN)
        if (exercise, case) not in self._plain:
            folder = ROOT / "hidden_tests" / exercise / "solutions" / case
            below = Path(tempfile.mkdtemp(dir=self.base))
            staged = stage(load_case(folder, exercise, ROOT), below)
            self._plain[exercise, case] = read_submission(staged)
        return self._plain[exercise, case]

    def run_all(self, tasks: Iterable[tuple[Attack, str, str]]) -> Iterator[Finding]:
        """Run attacks, each on one exercise with one seed; findings come as they are ready."""
        tasks = list(tasks)
        bases = {
            (exercise, seed, tuple(sorted(attack.limits.items())), attack.twin)
            for attack, exercise, seed in tasks
            if attack.graded
        }
        first = {self._pool.submit(self._twin, *base): base for base in sorted(bases)}
        for done in as_completed(first):
            self._twins[first[done]] = done.result()
        for done in as_completed([self._pool.submit(self._attack, *task) for task in tasks]):
            yield done.result()

    def _twin(
        self, exercise: str, seed: str, limits: tuple[tuple[str, float], ...], case: str
    ) -> Vector:
        vector, _ = self._grade(self.twin(exercise, case), exercise, seed, dict(limits))
        return vector

    def _attack(self, attack: Attack, exercise: str, seed: str) -> Finding:
        if not attack.graded:
            problems = refusal(attack, self._next_folder())
            return Finding(attack, exercise, problems, "as it says" if not problems else "", 0.0)
        names = {f.name: f.methods for f in load_exercise(exercise, root=self.root).functions}
        submission = armed(self.twin(exercise, attack.twin), attack, names)
        key = (exercise, seed, tuple(sorted(attack.limits.items())), attack.twin)
        pages = attack.group in SHOWN
        vector, seen = self._grade(submission, exercise, seed, attack.limits, pages=pages)
        limit = self._limits(exercise, attack.limits).limits.wall_seconds
        problems = [*compare(attack, self._twins[key], vector), *seen]
        over = vector.seconds - limit
        if over > GRACE_SECONDS:
            problems.append(f"ended {over:.1f} s after its limit")
        return Finding(attack, exercise, tuple(problems), _outcome(self._twins[key], vector), over)

    def _limits(self, exercise: str, limits: Mapping[str, float]) -> Exercise:
        found = load_exercise(exercise, root=self.root)
        return dataclasses.replace(found, limits=dataclasses.replace(found.limits, **limits))

    def _next_folder(self) -> Path:
        self._count += 1
        folder = self.base / f"run-{self._count}"
        folder.mkdir()
        return folder

    def _grade(
        self,
        submission: Submission,
        exercise: str,
        seed: str,
        limits: Mapping[str, float],
        *,
        pages: bool = False,
    ) -> tuple[Vector, list[str]]:
        folder = self._next_folder()
        plain = folder / "twin"
        plain.mkdir()
        for file in self.twin(exercise).files:
            path = plain / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        prepared = pipeline.prepare(plain, root=self.root, exercise=exercise, seed=seed)
        grading = dataclasses.replace(
            prepared, submission=submission, exercise=self._limits(exercise, limits)
        )
        worker, replayer = self._idle.get()
        try:
            clock = time.thread_time()
            graded = pipeline.run(worker, self._bench, grading, out=folder / "results")
            host_seconds = time.thread_time() - clock
            problems = self._replayed(graded.folder, replayer)
        finally:
            self._idle.put((worker, replayer))
        document = report_json.build_report(graded.report)
        vector = _vector(document, graded.report, host_seconds)
        problems += [*self._leaks(graded.folder), *sink_problems(graded.folder)]
        if pages:
            problems += _module(CORPUS / "review.py").page_problems(folder / "results")
        shutil.rmtree(folder)
        return vector, problems

    def _leaks(self, folder: Path) -> list[str]:
        """Canaries in what the candidate's container was sent, or in what candidates are told."""
        with gzip.open(folder / "transcript.gz") as stream:
            sent = stream.read()
        found = []
        if self.canary.encode() in sent:
            found.append("a canary crossed the wire")
        told = sorted(folder.rglob("feedback*"))
        found += [f"a canary is in {path.name}" for path in told if self._told(path)]
        return found

    def _told(self, path: Path) -> bool:
        return self.canary in path.read_text(encoding="utf-8")

    def _replayed(self, folder: Path, replayer: Replayer) -> list[str]:
        try:
            replay(folder, root=self.root, replayer=replayer)
        except GraderError as error:
            return [f"does not replay: {error}"]
        return []


def refusal(attack: Attack, folder: Path) -> tuple[str, ...]:
    """What is wrong with how intake takes an attack's archive, or the review app its request.

    Args:
        attack: one with a maker or a request.
        folder: an empty one to make it in.
    """
    if attack.request is not None:
        found: tuple[str, ...] = _module(CORPUS / "review.py").answered(attack.request, folder)
        return found
    if attack.archive is None:
        raise ValueError(f"{attack.name} is no archive")
    path = attack.archive(folder)
    wanted = attack.expect.partition("(")[2].rstrip(")") or "accepted"
    clock = time.perf_counter()
    try:
        pipeline.prepare(path, root=ROOT, exercise="imputation", seed="0" * 32)
        code = "accepted"
    except SubmissionRejected as error:
        code = error.code
    seconds = time.perf_counter() - clock
    odd = () if code == wanted else (f"{code}, not {wanted}",)
    return (*odd, f"intake took {seconds:.1f} s") if seconds > GRACE_SECONDS else odd


def _vector(document: Mapping[str, Any], report: pipeline.Report, host: float) -> Vector:
    hidden = [item for item in document["evidence"] if item["id"].startswith("test_")]
    captured = "".join(capture.stdout.raw for capture in report.moment.captures)
    return Vector(
        verdicts={item["id"]: item["status"] for item in hidden},
        causes={item["id"]: str(item.get("cause")) for item in hidden},
        levels={c["id"]: c["level"] for c in document["score"]["categories"]},
        overall=document["score"]["overall"],
        marked=MARK in captured,
        seconds=report.moment.timings["tests"],  # what the wall limit is about
        host_seconds=host,
    )


def _lost(twin: Vector, vector: Vector) -> set[str]:
    return {
        name
        for name, status in twin.verdicts.items()
        if status == "passed" and vector.verdicts.get(name) != "passed"
    }


def _outcome(twin: Vector, vector: Vector) -> str:
    lost = _lost(twin, vector)
    if not lost:
        return "same"
    causes = collections.Counter(vector.causes[name] for name in lost).most_common(2)
    return f"lost {len(lost)}: " + ", ".join(f"{cause} {count}" for cause, count in causes)


def compare(attack: Attack, twin: Vector, vector: Vector) -> list[str]:
    """What an attack changed that it may not change."""
    found = []
    if vector.verdicts.keys() != twin.verdicts.keys():
        found.append("another set of tests has verdicts")
    gained = sorted(
        name
        for name, status in vector.verdicts.items()
        if status == "passed" and twin.verdicts.get(name) != "passed"
    )
    if gained:
        found.append(f"gained {gained[:3]}")
    higher = [name for name, level in vector.levels.items() if level > twin.levels[name]]
    if higher or vector.overall > twin.overall + 1e-9:
        found.append(f"scores higher than the twin: {higher or vector.overall}")
    lost = _lost(twin, vector)
    passed = {name for name, status in twin.verdicts.items() if status == "passed"}
    kind = attack.expect
    if kind in {"SAME", "DENY"} and lost:
        found.append(f"lost {sorted(lost)[:3]} ({sorted({vector.causes[n] for n in lost})})")
    if kind == "FAIL" and attack.costs == "all" and lost != passed:
        found.append(f"still passed {sorted(passed - lost)[:3]}")
    if kind == "FAIL" and attack.costs == "some" and not lost:
        found.append("cost nothing")
    if attack.causes and (odd := {vector.causes[name] for name in lost} - attack.causes):
        found.append(f"lost for other causes: {sorted(odd)}")
    if attack.ends and not vector.marked:
        found.append("the payload did not run to its end")
    if (more := vector.host_seconds - twin.host_seconds) > HOST_SECONDS:
        found.append(f"cost the host {more:.1f} s of CPU more than its twin")
    return found


def sink_problems(folder: Path) -> list[str]:
    """Where text of a candidate's acts in a results folder: control characters in text files."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".txt", ".md", ".json", ".csv", ".xml", ".html"}:
            text = path.read_text(encoding="utf-8")
            if odd := {c for c in text if (ord(c) < 32 and c not in "\n\t") or ord(c) == 127}:  # noqa: PLR2004 - ASCII
                found.append(f"{path.name} holds control characters {sorted(map(ascii, odd))}")
    return found


def seeds(count: int) -> list[str]:
    """The seeds of the rounds."""
    return [hashlib.sha256(f"hostile {n}".encode()).hexdigest()[:32] for n in range(count)]


def exercises() -> list[str]:
    """The exercises with a twin."""
    return sorted(path.parents[2].name for path in ROOT.glob(f"hidden_tests/*/solutions/{TWIN}/"))


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exercise", action="append", metavar="ID", help="only this one")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="seeds for each attack")
    parser.add_argument("--jobs", type=int, default=2, metavar="K")
    parser.add_argument("--only", default="", metavar="TEXT", help="group/name holds TEXT")
    parser.add_argument("--twin", metavar="CASE", help=f"default: {TWIN}, or a cheaper one")
    options = parser.parse_args()
    chosen = options.exercise or [p.name for p in sorted((ROOT / "exercises").iterdir())]
    attacks = [a for a in load_attacks() if options.only in f"{a.group}/{a.name}"]
    tasks = [
        (attack, exercise, seed)
        for number, seed in enumerate(seeds(options.rounds))
        for attack in attacks
        for exercise in (chosen if attack.graded else chosen[:1])
        if (not attack.exercises or exercise in attack.exercises) and (attack.graded or not number)
    ]
    if not tasks:
        sys.stderr.write("hostile: no attack matches\n")
        return 2
    # Images are built, and what others left is swept, before the host is looked at.
    bench = Workbench(_say)
    for exercise in chosen:
        bench.images_for(load_exercise(exercise, root=ROOT))
    api = docker.APIClient()
    before, clock, bad, worst = snapshot(api), time.perf_counter(), 0, float("-inf")
    with Range(options.jobs, _say, options.twin) as area:
        for done, finding in enumerate(area.run_all(tasks), 1):
            bad += bool(finding.problems)
            worst = max(worst, finding.over)
            name = f"{finding.attack.group}/{finding.attack.name}"
            print(
                f"{done:>4}/{len(tasks):<4} {'!' if finding.problems else ' '} {name:<52.52} "
                f"{finding.exercise:<18} {finding.attack.expect:<22.22} {finding.outcome}",
                flush=True,
            )
            for problem in finding.problems:
                print(f"{'':>12}{problem}")
    left = left_behind(before, api)
    print(
        f"{len(attacks)} attacks, {len(tasks)} runs: {len(tasks) - bad} as expected, {bad} not; "
        f"worst time past a wall limit {max(worst, 0.0):.1f} s; left behind: "
        f"{', '.join(left) or 'nothing'}; {time.perf_counter() - clock:.0f} s"
    )
    return 1 if bad or left else 0


if __name__ == "__main__":
    sys.exit(main())
