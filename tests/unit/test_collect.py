"""Collections: layouts, rosters, one table, and no submission graded twice."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import pipeline
from grader.collect import book
from grader.collect.book import Row
from grader.collect.found import find
from grader.collect.grading import Key, Results, key_of
from grader.collect.matching import match
from grader.collect.roster import Person, read_roster
from grader.collect.table import print_table
from grader.commands import collect
from grader.errors import PlatformError, UsageError
from grader.record.graded import SUBMISSION, pack_files
from grader.record.results import ResultsFolder
from grader.report.model import Moment
from grader.report.printer import printer
from grader.report.report_json import build_report, write_report

sys.path.insert(0, str(Path(__file__).parent))
from sample_report import answering, record, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.pipeline import Graded, Grading

ROOT = Path(__file__).resolve().parents[2]
SEED = "0" * 31 + "1"
LOG = "graded.log"


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """SIGINT is an interrupt, also where who started the tests ignores it (``nohup``)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Fast:
    """Grades in no time and writes down what it graded; may be told to interrupt or to fail."""

    def __init__(self, log: Path, *, after: int = 10**9, fail: str = "") -> None:
        self._log, self._after, self._fail = log, after, fail

    def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
        del last
        if self._fail and self._fail in str(grading.submission.source):
            raise PlatformError("the engine is gone")
        with self._log.open("a") as file:
            file.write(f"{grading.submission.digest}\n")
        results = ResultsFolder(out, f"{grading.submission.name}-{grading.submission.digest[:8]}")
        made = fabricated(grading)
        write_report(results.draft / "report.json", build_report(made))
        (results.draft / SUBMISSION).write_bytes(pack_files(grading.submission.files))
        folder = results.publish()
        self._after -= 1
        if self._after == 0:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)  # the main thread gets it meanwhile
        return pipeline.Graded(made, folder)

    def close(self) -> None:
        """Nothing to give back."""


def fabricated(grading: Grading) -> Any:
    base = report(record("test_one"), record("three", criterion="scale"))
    moment = Moment("run", "2026-01-01T00:00:00+00:00")
    return dataclasses.replace(answering(base, grading), moment=moment)


def submission(place: Path, source: str) -> Path:
    place.mkdir(parents=True)
    (place / "solution.py").write_text(source)
    return place


def arguments(folder: Path, out: Path, *more: str) -> list[str]:
    base = [str(folder), "--out", str(out), "--root", str(ROOT), "--exercise", "imputation"]
    return [*base, "--seed", SEED, "--as-recorded", *more]


def table(out: Path) -> list[dict[str, str]]:
    text = (out / "collected.csv").read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def fast(out: Path, **options: Any) -> list[Callable[[], Fast]]:
    return [lambda: Fast(out.parent / LOG, **options)]


@pytest.mark.slow
def test_200_submissions_interrupted_twice_are_each_graded_once(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for number in range(200):
        submission(folder / f"candidate-{number:03}", f"x = {number}\n")
    for after in (60, 70):
        with pytest.raises(KeyboardInterrupt):
            collect.run(arguments(folder, out), benches=fast(out, after=after))
        states = Counter(row["state"] for row in table(out))
        assert states["pending"] > 0
        assert sum(states.values()) == 200
    assert collect.run(arguments(folder, out), benches=fast(out)) == 0
    graded = Counter((tmp_path / LOG).read_text().split())
    assert len(graded) == 200
    assert set(graded.values()) == {1}
    rows = table(out)
    assert [row["candidate"] for row in rows] == [f"candidate-{n:03}" for n in range(200)]
    assert {row["state"] for row in rows} == {"graded"}
    assert all(Path(row["results"], "report.json").is_file() for row in rows)


@pytest.mark.slow
def test_a_killed_collection_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for number in range(12):
        submission(folder / f"c{number:02}", f"x = {number}\n")
    program = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_collect as t; from pathlib import Path\n"
        "class Dies(t.Fast):\n"
        "    def grade(self, grading, out, *, last):\n"
        "        if self._after == 1:\n"
        "            (out / '.half.1234.draft').mkdir(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return super().grade(grading, out, last=last)\n"
        "folder, out = map(Path, sys.argv[2:])\n"
        "t.collect.run(t.arguments(folder, out),"
        " benches=[lambda: Dies(out.parent / t.LOG, after=6)])\n"
    )
    command = [sys.executable, "-c", program, str(Path(__file__).parent), str(folder), str(out)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert collect.run(arguments(folder, out), benches=fast(out)) == 0
    graded = Counter((tmp_path / LOG).read_text().split())
    assert (len(graded), set(graded.values())) == (12, {1})
    assert not list((out / "runs").glob(".*.draft"))


def test_one_collection_at_a_time(tmp_path: Path) -> None:
    second = Results(tmp_path / "out")
    with Results(tmp_path / "out"), pytest.raises(UsageError, match="another grade collect"):
        second.__enter__()
    with Results(tmp_path / "out"):
        pass


def test_the_same_files_are_graded_once_and_both_rows_say_so(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "ann", "x = 1\n")
    submission(folder / "bob", "x = 1\n")
    assert collect.run(arguments(folder, out), benches=fast(out)) == 0
    assert len((tmp_path / LOG).read_text().split()) == 1
    assert [row["notes"] for row in table(out)] == [
        "the same files as bob",
        "the same files as ann",
    ]
    assert len({row["results"] for row in table(out)}) == 1


def test_a_platform_failure_is_no_score_and_is_tried_again(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "ann", "x = 1\n")
    submission(folder / "bob", "x = 2\n")
    assert collect.run(arguments(folder, out), benches=fast(out, fail="bob")) == 3
    states = {row["candidate"]: (row["state"], row["score"]) for row in table(out)}
    assert states["bob"] == ("failed", "")
    assert states["ann"][0] == "graded"
    assert collect.run(arguments(folder, out), benches=fast(out)) == 0
    assert {row["state"] for row in table(out)} == {"graded"}


def test_rejected_and_missing_are_rows_of_their_own(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "ann", "x = 1\n")
    (folder / "bob").mkdir()
    (folder / "bob" / "notes.txt").write_text("no code")
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "identifier,github_username,github_id,name\nA 1,ann,7,Ann Ox\nB 2,bob,8,\nC,c,9,\n"
    )
    code = collect.run(arguments(folder, out, "--roster", str(roster)), benches=fast(out))
    assert code == 0
    by_name = {row["candidate"]: row for row in table(out)}
    assert {name: row["state"] for name, row in by_name.items()} == {
        "A 1": "graded",
        "B 2": "rejected",
        "C": "missing",
    }
    assert by_name["B 2"]["notes"].startswith("no-solution")
    assert (by_name["A 1"]["name"], by_name["A 1"]["username"]) == ("Ann Ox", "ann")


def test_of_two_submissions_the_last_counts(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "ann").mkdir(parents=True)
    for name, hour in (("a.zip", 9), ("b.zip", 7)):
        path = folder / "ann" / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("solution.py", f"x = {hour}\n")
        when = dt.datetime(2026, 5, 1, hour, tzinfo=dt.UTC).timestamp()
        os.utime(path, (when, when))
    options = ("--due", "2026-05-01T08:00+00:00")
    collect.run(arguments(folder, out, *options), benches=fast(out))
    assert [(r["file"], r["state"], r["late"]) for r in table(out)] == [
        ("a.zip", "graded", "yes"),
        ("b.zip", "superseded", "no"),
    ]
    assert "2 submissions" in table(out)[1]["notes"]
    collect.run(arguments(folder, out, *options, "--take", "first"), benches=fast(out))
    assert [r["state"] for r in table(out)] == ["superseded", "graded"]


def test_gradebooks_have_their_programs_columns(tmp_path: Path) -> None:
    folder, out = tmp_path / "hw1-submissions", tmp_path / "out"
    submission(folder / "hw1-ann", "x = 1\n")
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "username,first_name,last_name,email,section,github_id\n"
        "Ann,Ann,=HYPERLINK(1),ann@example.com,S1,12\nbea,Bea,Ek,b@example.com,S1,13\n"
    )
    options = ("--roster", str(roster), "--gradebook", "all", "--assignment", "HW 1")
    collect.run(arguments(folder, out, *options), benches=fast(out))
    heads = {}
    for path in out.glob("gradebook-*.csv"):
        rows = list(csv.reader(io.StringIO(path.read_text())))
        heads[path.stem.removeprefix("gradebook-")] = rows
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
        assert len({len(row) for row in rows}) == 1
    assert heads["canvas"][0] == [
        "Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW 1",
    ]  # fmt: skip
    assert heads["canvas"][1][0].strip() == "Points Possible"
    assert heads["classroom"][1][3:6] == ["Ann", "Ann", "hw1-ann"]
    assert heads["classroom"][1][-1] == "4"
    ann, bea = heads["classroom50"][1:]
    assert (ann[0], ann[6], ann[12]) == ("Ann", "400", "true")
    assert (bea[5], bea[6], bea[12]) == ("", "", "")
    assert heads["gradescope"][0][5:7] == ["HW 1", "HW 1 - Max Points"]


def test_layouts_are_told_apart(tmp_path: Path) -> None:
    classic = tmp_path / "one" / "hw1-submissions"
    submission(classic / "hw1-ann", "")
    submission(classic / "hw1-bob-2", "")
    new = tmp_path / "cs-hello_submissions_2026_05_09_T_14_30_45"
    submission(new / "cs-hello-ann", "")
    (new / "scores.csv").write_text("username\n")
    plain = tmp_path / "plain"
    submission(plain / "Jane Doe_123_assignsubmission_file_", "")
    (plain / "kim.py").write_text("")
    (plain / ".hidden").mkdir()
    (plain / "link").symlink_to("/etc")
    assert [(f.handle, f.layout) for f in find(classic)] == [
        ("ann", "classroom"),
        ("bob-2", "classroom"),
    ]
    assert find(tmp_path / "one") == find(classic)
    assert [(f.handle, f.layout) for f in find(new)] == [("ann", "classroom50")]
    assert [(f.handle, f.unknown) for f in find(plain)] == [
        ("Jane Doe", False),
        ("kim", False),
        ("link", True),
    ]


def test_a_gradescope_export_tells_who_and_when(tmp_path: Path) -> None:
    submission(tmp_path / "submission_11", "")
    submission(tmp_path / "submission_12", "")
    (tmp_path / "submission_metadata.yml").write_text(
        "---\nsubmission_11:\n  :submitters:\n  - :name: Ann Ox\n    :sid: '7'\n"
        "    :email: ann@example.com\n  :created_at: 2026-05-01 10:00:00.000000000 Z\n"
        "  :score: 1.0\n  :odd: !ruby/object:Thing\n    a: 1\n"
        "submission_12:\n  :submitters: []\n  :created_at: soon\n"
        "submission_99:\n  :submitters: []\n../x:\n  :submitters: []\n"
    )
    first, second = find(tmp_path)
    assert (first.handle, first.names) == ("ann@example.com", ("ann@example.com", "7", "Ann Ox"))
    assert first.submitted == dt.datetime(2026, 5, 1, 10, tzinfo=dt.UTC)
    assert (second.handle, second.submitted) == ("submission_12", None)


def test_yaml_of_others_makes_no_object(tmp_path: Path) -> None:
    submission(tmp_path / "submission_1", "")
    (tmp_path / "submission_metadata.yml").write_text(
        "submission_1: {':submitters': [], x: !!python/object/apply:os.system ['touch /tmp/no']}\n"
    )
    with pytest.raises(UsageError, match="cannot be read"):
        find(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "names nobody"), ("a,b\n1,2\n", "Found: a, b. Needed is one of"),
     ("identifier\nx\nX\n", "twice"), ("\xff", "Found: ÿ")],
)  # fmt: skip
def test_a_roster_of_another_kind_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=message):
        read_roster(path)


def test_people_are_found_by_any_of_their_names(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "username,first_name,last_name,email,section,github_id\n"
        "ann-ox,Ann,Ox,a@example.com,,1\nox,Otto,Xu,otto@example.com,,2\nz,Zoë,Ek,zoe@x.org,,7\n"
    )
    people = read_roster(path)
    folder = tmp_path / "in"
    for name in ("hello-ann-ox", "hello-ox (2)", "zoe ek", "nobody", "otto", "task-7"):
        submission(folder / name, "")
    matched = {person.identifier: [f.handle for f in items] for person, items in
               match(find(folder), people)}  # fmt: skip
    assert matched == {
        "ann-ox": ["hello-ann-ox"],
        "ox": ["otto"],
        "z": ["zoe ek"],
        "hello-ox (2)": ["hello-ox (2)"],  # resembles ox, who is there by a name of his own
        "nobody": ["nobody"],
        "task-7": ["task-7"],  # a number is nobody's user name
    }


LIKE_ALICE = "its name is similar to that of alice@x.org, but it was not assigned to them"
ALICE = "identifier,github_username,github_id,name\nalice@x.org,Alice,1,Alice Ax\n"


def matched(folder: Path, roster: str) -> dict[str, list[tuple[str, str]]]:
    path = folder.parent / "roster.csv"
    path.write_text(roster)
    return {
        person.identifier: [(item.path.name, item.doubt) for item in items]
        for person, items in match(find(folder), read_roster(path))
    }


def test_in_a_classroom_only_the_very_user_name_counts(tmp_path: Path) -> None:
    folder = tmp_path / "hw-submissions"
    for name in ("hw-alice", "hw-evil-alice", "hw-alice2", "hw-alice-3", "hw-alice_4"):
        submission(folder / name, "")
    assert matched(folder, ALICE) == {
        "alice@x.org": [("hw-alice", "")],
        "alice-3": [("hw-alice-3", LIKE_ALICE)],
        "alice2": [("hw-alice2", LIKE_ALICE)],
        "alice_4": [("hw-alice_4", LIKE_ALICE)],
        "evil-alice": [("hw-evil-alice", LIKE_ALICE)],
    }


def test_in_a_classroom_a_resembling_name_is_nobodys_even_where_the_person_is_missing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "hw-submissions"
    submission(folder / "hw-evil-alice", "")
    assert matched(folder, ALICE) == {
        "alice@x.org": [],
        "evil-alice": [("hw-evil-alice", LIKE_ALICE)],
    }


def test_where_a_classroom_roster_has_no_user_name_the_identifier_is_a_likeness(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "hw-submissions"
    submission(folder / "hw-ann", "")
    assert matched(folder, "identifier,github_username\nann,\n") == {
        "ann": [("hw-ann", "assigned to ann because the names are similar: hw-ann")]
    }


def test_the_table_of_classroom_50_tells_whose_repository_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "downloaded"
    for name in ("cs-hw-alice", "cs-hw-evil-alice", "cs-hw-bob"):
        submission(folder / name, "")
    (folder / "scores.csv").write_text("username,score\nalice,\nevil-alice,\n")
    found = matched(folder, ALICE.replace("\nalice@", "\nb@x.org,bob,,\nalice@"))
    assert found["alice@x.org"] == [("cs-hw-alice", "")]
    assert [name for name, _ in found["evil-alice"]] == ["cs-hw-evil-alice"]
    assert found["b@x.org"] == [
        ("cs-hw-bob", "assigned to b@x.org because the names are similar: cs-hw-bob")
    ]


def test_a_likeness_elsewhere_is_noted_and_gives_way_to_the_very_name(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    for name in ("task-alice", "alice (1)"):
        submission(folder / name, "")
    noted = "assigned to alice@x.org because the names are similar: "
    assert matched(folder, ALICE) == {
        "alice@x.org": [("alice (1)", noted + "alice (1)"), ("task-alice", noted + "task-alice")]
    }
    submission(folder / "alice", "")
    found = matched(folder, ALICE)
    assert found["alice@x.org"] == [("alice", "")]
    assert set(found) == {"alice@x.org", "alice (1)", "task-alice"}


def test_a_name_alone_is_a_likeness_where_the_address_is_another(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    submission(folder / "submission_1", "")
    submission(folder / "submission_2", "")
    (folder / "submission_metadata.yml").write_text(
        "submission_1:\n  :submitters:\n  - :name: Alice Ax\n    :email: evil@x.org\n"
        "submission_2:\n  :submitters:\n  - :name: Al\n    :email: alice@x.org\n"
    )
    found = matched(folder, ALICE)
    assert found["alice@x.org"] == [("submission_2", "")]
    assert [name for name, _ in found["evil@x.org"]] == ["submission_1"]


def test_a_doubt_stands_in_the_table(tmp_path: Path) -> None:
    folder, out = tmp_path / "hw-submissions", tmp_path / "out"
    submission(folder / "hw-alice", "x = 1\n")
    submission(folder / "hw-evil-alice", "x = 2\n")
    roster = tmp_path / "roster.csv"
    roster.write_text(ALICE)
    collect.run(arguments(folder, out, "--roster", str(roster)), benches=fast(out))
    assert [(row["candidate"], row["state"], row["notes"]) for row in table(out)] == [
        ("alice@x.org", "graded", ""),
        (
            "evil-alice",
            "graded",
            "not on the roster; " + LIKE_ALICE,
        ),
    ]


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no submission"):
        find(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        find(tmp_path / "nowhere")


def test_another_seed_or_suite_is_another_run(tmp_path: Path) -> None:
    place = submission(tmp_path / "in" / "a", "x = 1\n")
    keys: set[Key] = set()
    for seed in (SEED, "f" * 32):
        grading = pipeline.prepare(place, root=ROOT, exercise="imputation", seed=seed)
        keys.add(key_of(grading))
        changed = dataclasses.replace(
            grading, suite=dataclasses.replace(grading.suite, digest="0" * 64)
        )
        keys.add(key_of(changed))
    assert len(keys) == 4


def test_several_benches_share_the_work(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for number in range(20):
        submission(folder / f"c{number}", f"x = {number}\n")
    threads: set[int] = set()
    all_three = threading.Barrier(3)

    class Noting(Fast):
        def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
            if threading.get_ident() not in threads:
                threads.add(threading.get_ident())
                all_three.wait(timeout=60)  # each waits with its first until all have one
            return super().grade(grading, out, last=last)

    benches = [lambda: Noting(tmp_path / LOG)] * 3
    assert collect.run(arguments(folder, out, "--jobs", "3"), benches=benches) == 0
    assert len(threads) == 3
    assert len((tmp_path / LOG).read_text().split()) == 20


def test_a_damaged_run_is_graded_again(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "ann", "x = 1\n")
    collect.run(arguments(folder, out), benches=fast(out))
    Path(table(out)[0]["results"], "report.json").write_text("{")
    collect.run(arguments(folder, out), benches=fast(out))
    assert len((tmp_path / LOG).read_text().split()) == 2
    assert table(out)[0]["state"] == "graded"


def test_an_index_leads_to_every_report_and_a_name_is_no_workflow_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "::error::x", "x = 1\n")
    collect.run(arguments(folder, out), benches=fast(out))
    printed = capsys.readouterr().out
    assert "::" not in printed
    (row,) = table(out)
    index = (out / "index.html").read_text()
    assert f'href="runs/{Path(row["results"]).name}/report.html"' in index


@pytest.mark.slow
def test_of_a_thousand_rows_and_more_those_without_a_score_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = [Person(f"p{n:04}", f"p{n:04}", f"P{n:04}", "Q", "") for n in range(1_003)]
    states = ["rejected", "missing", *["graded"] * 1_001]
    rows = [Row(person, state) for person, state in zip(people, states, strict=True)]

    print_table(rows, printer())

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["p0000", "p0001"]
    assert lines[3:] == ["1,001 other rows are in the files of the collection"]
    print_table(rows[:1_000], printer())
    assert len(capsys.readouterr().out.splitlines()) == 1_001


def test_exercises_and_starters_are_read_once_for_all_submissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            asked[name] += 1
            return real(*args)

        return call

    monkeypatch.setattr(pipeline, "load_suite", counted("suite", pipeline.load_suite))
    monkeypatch.setattr(book, "shipped", counted("starter", book.shipped))
    folder, out = tmp_path / "in", tmp_path / "out"
    for n in range(5):
        (folder / f"c{n}").mkdir(parents=True)
        (folder / f"c{n}" / "solution.py").write_text(f"x = {n}\n", encoding="utf-8")

    assert collect.run(arguments(folder, out), benches=fast(out)) == 0
    assert asked == {"suite": 1, "starter": 1}
