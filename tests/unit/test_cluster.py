"""A collection on a cluster: what travels, what comes back, and whose fault a fault is."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import multiprocessing
import shutil
import sys
import threading
import time
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import Mock

import pytest
from distributed import LocalCluster
from distributed.security import Security

from grader import pipeline
from grader.cluster import bundle as bundles
from grader.cluster import driver, processes
from grader.cluster.bundle import pack, unpack
from grader.cluster.certs import ROLES, make_certs, read_certs
from grader.cluster.crew import LocalCrew
from grader.cluster.driver import Cluster, grade_on
from grader.cluster.parcel import OtherImages, Wanted, packed, published
from grader.cluster.sealed import KEY_BYTES, opened, sealed
from grader.cluster.station import CERTS, RESOURCE
from grader.collect.grading import Done, Results, Task, Work, key_of
from grader.commands import cluster as command
from grader.commands import collect
from grader.errors import (
    GraderError,
    PlatformError,
    SetAsideError,
    SubmissionRejected,
    UsageError,
)
from grader.exercise.contract import load_exercise
from grader.record.binding import BINDING, SIGNATURE
from grader.record.results import ResultsFolder
from grader.record.signing import KEY_FILE, Signature, make_key
from grader.report.report_json import build_report, write_report

sys.path.insert(0, str(Path(__file__).parent))
from test_collect import ROOT, SEED, fabricated, submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.cluster.bundle import Carried
    from grader.cluster.station import Maker
    from grader.pipeline import Graded, Grading

KEY = bytes(range(KEY_BYTES))

pytestmark = [
    # Of Dask: a port that is taken, and sockets that it closes as the loop ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class Quick:
    """Grades in no time; what a source says decides how it goes."""

    graded: ClassVar[list[str]] = []

    def __init__(self, judge_image: str = "sha256:a") -> None:
        self._image = judge_image

    def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
        assert not last
        source = grading.submission.files[0].data.decode()
        if "reject" in source:
            raise SubmissionRejected("no-entry", "it holds no solution")
        if "break" in source:
            raise PlatformError("the engine is gone")
        Quick.graded.append(grading.submission.digest)
        made = fabricated(grading)
        made = dataclasses.replace(made, run=dataclasses.replace(made.run, judge_image=self._image))
        results = ResultsFolder(out, grading.submission.name)
        write_report(results.draft / "report.json", build_report(made))
        return pipeline.Graded(made, results.publish())

    def close(self) -> None:
        """Nothing to give back."""


def quick(carried: Carried) -> Callable[[int], Any]:
    assert list(carried.exercises) == ["imputation"]
    return lambda _number: Quick()


def no_engine(carried: Carried) -> Callable[[int], Any]:
    del carried
    raise PlatformError("no container engine answers")


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster") / "certs"
    make_certs(folder)
    return folder


@pytest.fixture
def workers(certs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCluster]:
    """A scheduler and two workers of one slot in this process, over TLS."""
    monkeypatch.setenv(CERTS, str(certs))
    own = {role: str(certs / role / f"{role}.pem") for role in ROLES}
    security = Security(
        tls_ca_file=str(certs / "client" / "ca.pem"),
        require_encryption=True,
        **{f"tls_{role}_{what}": own[role] for role in ROLES for what in ("cert", "key")},
    )
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tls://",
        host="127.0.0.1",
        security=security,
        resources={"docker": 1},
        dashboard_address=None,
        silence_logs=100,
    ) as made:
        yield made


def collection(
    tmp_path: Path,
    workers: LocalCluster,
    certs: Path,
    sources: list[str],
    make: Maker = quick,
) -> tuple[dict[str, Done | GraderError], list[str]]:
    """Grade sources; the outcome by source, and what was said."""
    offered = pipeline.Offered(ROOT, "imputation")
    prepare = partial(
        pipeline.prepare, root=ROOT, exercise="imputation", seed=SEED, offered=offered
    )
    tasks, by_key = [], {}
    for number, source in enumerate(sources):
        path = submission(tmp_path / "in" / f"c{number}", f"{source}\n")
        grading = prepare(path)
        tasks.append(Task(path, key_of(grading)))
        by_key[key_of(grading)] = source
    said: list[str] = []
    with Results(tmp_path / "out") as results:
        work = Work(
            tasks,
            prepare,
            lambda: offered.exercises,
            {"imputation": grading.seed},
            results,
            tmp_path,
        )
        cluster = Cluster(workers.scheduler_address, read_certs(certs, "client"), make=make)
        ended = {by_key[task.key]: got for task, got in grade_on(cluster, work, said.append)}
    return ended, said


@pytest.mark.slow
def test_each_submission_is_graded_once_and_its_run_comes_back(
    tmp_path: Path, workers: LocalCluster, certs: Path
) -> None:
    Quick.graded = []
    sources = [f"x = {n}" for n in range(12)]
    ended, _ = collection(tmp_path, workers, certs, sources)
    assert set(ended) == set(sources)
    folders = [done.folder for done in ended.values() if isinstance(done, Done)]
    assert len({*folders}) == len(Quick.graded) == len({*Quick.graded}) == 12
    assert all((folder / "report.json").is_file() for folder in folders)


def test_what_the_submission_is_to_blame_for_comes_back_as_it_is(
    tmp_path: Path, workers: LocalCluster, certs: Path
) -> None:
    ended, _ = collection(tmp_path, workers, certs, ["x = 1", "# reject"])
    assert isinstance(ended["x = 1"], Done)
    refused = ended["# reject"]
    assert isinstance(refused, SubmissionRejected)
    assert refused.code == "no-entry"


def test_a_platform_fault_everywhere_is_no_score_and_names_the_worker(
    tmp_path: Path, workers: LocalCluster, certs: Path
) -> None:
    ended, said = collection(tmp_path, workers, certs, ["x = 1", "# break"])
    assert isinstance(ended["x = 1"], Done)
    assert isinstance(ended["# break"], PlatformError)
    assert str(ended["# break"]).startswith("the engine is gone (worker ")
    assert not [line for line in said if line.startswith("set aside")]


class Moody(Quick):
    """Fails on the first worker that asks for it; that worker alone."""

    lock = threading.Lock()
    first = ""

    def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
        from distributed import get_worker  # noqa: PLC0415 - which worker this is

        with Moody.lock:
            Moody.first = Moody.first or get_worker().address
        if Moody.first == get_worker().address:
            raise PlatformError("the disk is full")
        return super().grade(grading, out, last=last)


def moody(carried: Carried) -> Callable[[int], Any]:
    del carried
    return lambda _number: Moody()


@pytest.mark.slow
def test_a_worker_that_fails_where_others_do_not_is_set_aside(
    tmp_path: Path, workers: LocalCluster, certs: Path
) -> None:
    Moody.first = ""
    ended, said = collection(tmp_path, workers, certs, [f"x = {n}" for n in range(12)], moody)
    assert {type(outcome) for outcome in ended.values()} == {Done}
    assert [line for line in said if line.startswith("set aside")] == [
        f"set aside: {Moody.first}: 2 gradings failed here and not elsewhere"
    ]


def test_workers_without_an_engine_end_the_collection_and_are_named(
    tmp_path: Path, workers: LocalCluster, certs: Path
) -> None:
    with pytest.raises(PlatformError, match=r"no worker is left .* no container engine answers"):
        collection(tmp_path, workers, certs, ["x = 1"], no_engine)


def test_a_worker_of_another_version_is_refused_with_both(
    tmp_path: Path, workers: LocalCluster, certs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bundles._terms
    calls: list[str] = []

    def other_here(exercise: Any, suite: Any) -> dict[str, str]:
        calls.append(exercise.id)  # the client packs first
        return real(exercise, suite) | ({"suite": "f" * 64} if len(calls) > 1 else {})

    monkeypatch.setattr(bundles, "_terms", other_here)
    digest = real(load_exercise("imputation", root=ROOT), _suite())["suite"]
    told = f"suite ffffffffffff here, {digest[:12]} at the client"
    with pytest.raises(PlatformError, match=told):
        collection(tmp_path, workers, certs, ["x = 1"])


def _suite() -> Any:
    from grader.exercise.suite import load_suite  # noqa: PLC0415 - for one test

    return load_suite(ROOT / "hidden_tests" / "imputation")


class Painted(Quick):
    """Each worker has another judge image."""

    made = 0

    def __init__(self) -> None:
        Painted.made += 1
        super().__init__(f"sha256:{Painted.made}")


def painted(carried: Carried) -> Callable[[int], Any]:
    del carried
    return lambda _number: Painted()


@pytest.mark.slow
def test_a_worker_with_other_images_is_set_aside_with_both(
    tmp_path: Path, workers: LocalCluster, certs: Path
) -> None:
    Painted.made = 0
    ended, said = collection(tmp_path, workers, certs, [f"x = {n}" for n in range(8)], painted)
    assert {type(outcome) for outcome in ended.values()} == {Done}
    aside = [line for line in said if line.startswith("set aside")]
    assert len(aside) == 1
    assert "its judge image is sha256:" in aside[0]
    assert "that of earlier runs sha256:" in aside[0]


def test_a_client_with_another_secret_gets_nothing(
    tmp_path: Path, workers: LocalCluster, certs: Path
) -> None:
    other = tmp_path / "certs"
    make_certs(other)
    for name in ("ca.pem", "client.pem"):
        (other / "client" / name).write_bytes((certs / "client" / name).read_bytes())
    with pytest.raises(PlatformError, match="client and workers have different secrets"):
        collection(tmp_path, workers, other, ["x = 1"])


def test_a_client_of_another_authority_does_not_get_in(
    tmp_path: Path, workers: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certs(tmp_path / "certs")
    monkeypatch.setattr(driver, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(driver, "_CONNECT_SECONDS", 2)
    with pytest.raises(PlatformError, match="there is no scheduler at tls://"):
        collection(tmp_path, workers, tmp_path / "certs", ["x = 1"])


def test_neither_sources_nor_suites_are_in_what_the_scheduler_sees(
    tmp_path: Path, workers: LocalCluster, certs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    real = driver.Client.submit

    def spy(self: Any, function: Any, *args: Any, **options: Any) -> Any:
        seen.append(repr((args, options)).encode())
        return real(self, function, *args, **options)

    monkeypatch.setattr(driver.Client, "submit", spy)
    collection(tmp_path, workers, certs, ["marker_of_a_source = 1"])
    scheduler: Any = workers.scheduler
    (plugin,) = [*scheduler.worker_plugins.values()] or [b""]
    assert len(seen) == 1
    assert b"marker_of_a_source" not in seen[0] + plugin


def test_sealed_data_opens_with_its_key_and_purpose() -> None:
    assert opened(sealed(b"data", KEY, "a"), KEY, "a") == b"data"


@pytest.mark.parametrize(
    ("key", "about", "change"),
    [(bytes(KEY_BYTES), "a", 0), (KEY, "b", 0), (KEY, "a", 1)],
    ids=["another key", "another purpose", "a changed byte"],
)
def test_sealed_data_does_not_open_otherwise(key: bytes, about: str, change: int) -> None:
    box = bytearray(sealed(b"data", KEY, "a"))
    box[-1] ^= change
    with pytest.raises(PlatformError, match="does not open"):
        opened(bytes(box), key, about)


def test_certificates_are_readable_by_their_owner_alone(certs: Path) -> None:
    files = sorted(path for path in certs.rglob("*") if path.is_file())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert [path.relative_to(certs).as_posix() for path in files] == [
        "client/ca.pem",
        "client/client.pem",
        "client/secret.key",
        "scheduler/ca.pem",
        "scheduler/scheduler.pem",
        "worker/ca.pem",
        "worker/secret.key",
        "worker/worker.pem",
    ]


def test_the_scheduler_does_not_hold_the_secret(certs: Path) -> None:
    with pytest.raises(UsageError, match=r"secret\.key cannot be read"):
        read_certs(certs, "scheduler").secret()


def test_certificates_are_never_overwritten(certs: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        make_certs(certs)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_certs(tmp_path / "certs")
    (tmp_path / "certs" / "client" / "client.pem").chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        read_certs(tmp_path / "certs", "client")


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tcp://127.0.0.1:8786"])
def test_a_scheduler_without_tls_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="a scheduler without TLS"):
        collect.run(["in", "--cluster", address])


@pytest.mark.parametrize("address", ["local", "local:0", "local:99", "tls://host", "https://a:1"])
def test_what_is_no_cluster_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no cluster"):
        command.local_workers(address)


def test_a_cluster_takes_no_shard(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        collect.run(["in", "--cluster", "local:2", "--shard", "1/2"])
    assert "divide the same work" in capsys.readouterr().err


def test_a_bundle_holds_tests_and_no_labelled_solutions() -> None:
    data = pack([load_exercise("imputation", root=ROOT)]).data
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert "hidden_tests/imputation/rubric.toml" in names
    assert [name for name in names if "/solutions/" in name or "seed" in name] == []


def test_a_bundle_read_again_is_the_same_exercise(tmp_path: Path) -> None:
    exercise = load_exercise("predict_service", root=ROOT)  # it has a lock of its own
    carried = unpack(pack([exercise]).data, tmp_path)
    assert carried.exercises["predict_service"].scoring_digest == exercise.scoring_digest
    assert carried.exercises["predict_service"].environment == exercise.environment


def test_a_bundle_of_another_version_of_the_grader_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pack([load_exercise("imputation", root=ROOT)]).data
    monkeypatch.setattr("grader.__version__", "9.9")
    with pytest.raises(PlatformError, match=r"version 9\.9 of the grader here, .* at the client"):
        unpack(data, tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> tuple[bytes, Wanted]:
    """A run as a worker sends it, and what it has to be."""
    path = submission(tmp_path / "in" / "c0", "x = 1\n")
    grading = pipeline.prepare(path, root=ROOT, exercise="imputation", seed=SEED)
    folder = Quick().grade(grading, tmp_path / "far", last=False).folder
    (folder / BINDING).write_text("{}\n")
    return packed(folder), Wanted(key_of(grading), "c0-abc", {})


def test_a_run_that_came_back_is_written_whole(run: tuple[bytes, Wanted], tmp_path: Path) -> None:
    folder = published(*run, tmp_path / "runs", tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [BINDING, "report.json"]


def test_it_is_signed_by_the_client(run: tuple[bytes, Wanted], tmp_path: Path) -> None:
    make_key(tmp_path / KEY_FILE)
    folder = published(*run, tmp_path / "runs", tmp_path)
    signature = Signature.from_json((folder / SIGNATURE).read_text())
    assert signature.holds((folder / BINDING).read_bytes())


def archive(**files: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (archive(**{"../report.json": b"{}"}), r"name '\.\./report\.json'"),
        (archive(**{"/etc/report.json": b"{}"}), "name '/etc/report.json'"),
        (archive(**{"a/report.json": b"{}"}), "name 'a/report.json'"),
        (archive(**{".hidden": b"{}"}), r"name '\.hidden'"),
        (archive(**{f"f{n}": b"" for n in range(65)}), "hold 65 files"),
        (archive(**{"report.json": b"{}"}), "are damaged"),
        (b"PK\x03\x04 nothing", "are damaged"),
    ],
    ids=["above", "absolute", "below", "hidden", "too many", "no report", "no archive"],
)
def test_an_archive_that_is_no_run_is_a_platform_fault(
    data: bytes, told: str, run: tuple[bytes, Wanted], tmp_path: Path
) -> None:
    with pytest.raises(PlatformError, match=told):
        published(data, run[1], tmp_path / "runs", tmp_path)
    assert list((tmp_path / "runs").iterdir()) == []


def test_an_archive_larger_than_its_bound_is_a_platform_fault(
    run: tuple[bytes, Wanted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.cluster.parcel.MOST_BYTES", 100)
    with pytest.raises(PlatformError, match="at most 64 and 100 are taken"):
        published(*run, tmp_path / "runs", tmp_path)


def test_another_submissions_run_does_not_count(run: tuple[bytes, Wanted], tmp_path: Path) -> None:
    data, wanted = run
    key = (*wanted.key[:2], "0" * 64, *wanted.key[3:])
    with pytest.raises(PlatformError, match="another submission"):
        published(data, dataclasses.replace(wanted, key=key), tmp_path / "runs", tmp_path)


def test_a_run_of_other_images_does_not_count(run: tuple[bytes, Wanted], tmp_path: Path) -> None:
    wanted = dataclasses.replace(run[1], images={"imputation": ("sha256:z", "sha256:y")})
    with pytest.raises(OtherImages, match="judge image is sha256:a, that of earlier runs sha256:z"):
        published(run[0], wanted, tmp_path / "runs", tmp_path)


class SlowNanny:
    """Trips over a worker's process that does not start in time, twice, and leaves it behind."""

    left: ClassVar[list[Any]] = []

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __await__(self) -> Any:
        if len(self.left) < 2:
            child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
            child.start()
            self.left.append(child)
            raise AssertionError("Status.starting")
        return self
        yield

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def finished(self) -> None:
        processes.set_aside("it is enough")


def test_a_worker_that_starts_slowly_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "Nanny", SlowNanny)
    monkeypatch.setattr(processes, "Engine", Mock())
    monkeypatch.setattr(processes, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(processes, "_aside", [])
    make_certs(tmp_path)
    certs = read_certs(tmp_path, "worker")
    said: list[str] = []
    with pytest.raises(SetAsideError, match="it is enough"):
        processes.run_worker(
            certs, "tls://127.0.0.1:1", name="a", slots=1, say=said.append, while_stdin=False
        )
    assert sum("trying again" in line for line in said) == 2
    for child in SlowNanny.left:
        child.join(10)
        assert not child.is_alive()


@pytest.mark.parametrize(("code", "again"), [(0, True), (3, True), (-9, True), (5, False)])
def test_a_local_worker_that_ended_is_started_again_unless_it_was_set_aside(
    code: int, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    said: list[str] = []
    crew = LocalCrew(2, said.append)
    monkeypatch.setattr(crew, "_start_worker", started.append)
    ended, running = Mock(returncode=code), Mock()
    running.poll.return_value = None
    ended.poll.return_value = code
    crew._processes = {"local-1": ended, "local-2": running}
    crew.mend()
    shutil.rmtree(crew.folder)
    assert started == (["local-1"] if again else [])
    assert len(said) == len(started)


def bare_session(client: Any, crew: Any) -> Any:
    """A session with what looking at workers needs."""
    session: Any = driver._Session.__new__(driver._Session)
    session._cluster, session._client, session._say = Mock(crew=crew), client, Mock()
    session._ledger = driver._Ledger({}, {}, Mock())
    session._workers, session._looked = {}, 0.0
    return session


def test_a_lost_worker_is_waited_for_though_the_other_one_is_set_aside() -> None:
    facts = {"resources": {RESOURCE: 1}}
    there = {"tls://a": facts, "tls://b": facts}
    client = Mock(status="running", scheduler_info=lambda **_: {"workers": there})
    session = bare_session(client, None)
    session._look()
    session._ledger.reasons["tls://a"] = "a: its disk is full"
    there.clear()
    session._looked = 0.0
    session._look()  # b was killed a moment ago
    there["tls://c"] = facts  # and is back at another port
    session._looked = 0.0
    session._look()
    assert session._workers == {"tls://c": 1}
    session._ledger.reasons |= {"tls://b": "b: too", "tls://c": "c: too"}
    there.clear()
    session._looked = 0.0
    with pytest.raises(PlatformError, match=r"no worker is left .*its disk is full"):
        session._look()


class Fetching:
    """A client whose answers never come; asked for on a loop of its own, as Dask's are."""

    status = "running"

    def __init__(self) -> None:
        self.loop = Mock(asyncio_loop=asyncio.new_event_loop())
        self.thread = threading.Thread(target=self.loop.asyncio_loop.run_forever, daemon=True)
        self.thread.start()

    def gather(self, _future: object, *, asynchronous: bool) -> Any:
        assert asynchronous
        return asyncio.sleep(60)

    def scheduler_info(self, **_: object) -> dict[str, Any]:
        return {"workers": {"tls://a": {"resources": {RESOURCE: 1}}}}

    def close(self) -> None:
        self.loop.asyncio_loop.call_soon_threadsafe(self.loop.asyncio_loop.stop)
        self.thread.join()
        self.loop.asyncio_loop.run_until_complete(asyncio.sleep(0.01))  # what was cancelled ends
        self.loop.asyncio_loop.close()


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A session that waits for an answer, with local workers to look after."""
    monkeypatch.setattr(driver, "_FETCH_SECONDS", 0.02)
    monkeypatch.setattr(driver, "_LOOK_SECONDS", 0.0)
    client = Fetching()
    yield bare_session(client, Mock())
    client.close()


def test_lost_workers_are_started_again_while_an_answer_is_fetched(
    fetching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_PATIENCE_SECONDS", 0.3)
    with pytest.raises(TimeoutError):
        fetching._fetched(Mock(status="finished"))
    assert fetching._cluster.crew.mend.call_count > 2


@pytest.mark.parametrize("status", ["pending", "lost"])
def test_an_answer_that_was_lost_with_its_worker_is_waited_for_like_others(
    fetching: Any, status: str
) -> None:
    began = time.monotonic()
    with pytest.raises(driver._LostAnswer):
        fetching._fetched(Mock(status=status))
    assert time.monotonic() - began < 10


def test_a_local_scheduler_that_is_killed_as_it_starts_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crew = LocalCrew(1, Mock())
    ends = iter([-9, -9, None])

    def start(what: str, *_: str) -> None:
        assert what == "scheduler"
        code = next(ends)
        crew._processes[what] = Mock(poll=lambda: code)
        if code is None:
            (crew.folder / "address").write_text("tls://127.0.0.1:1\n")

    monkeypatch.setattr(crew, "_start", start)
    crew._start_scheduler()
    assert crew.address == "tls://127.0.0.1:1"
    ends = iter([2])
    (crew.folder / "scheduler.log").write_text("the port is taken")
    with pytest.raises(PlatformError, match="did not start: the port is taken"):
        crew._start_scheduler()
    shutil.rmtree(crew.folder)
