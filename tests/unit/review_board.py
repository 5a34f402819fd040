"""A folder of results with a hostile roster, and a client that is logged in to the app over it."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import html
import json
import re
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from grader.collect.cases import SCHEMA, Cases, StoredCase
from grader.collect.roster import Person
from grader.intake.submission import digest_of
from grader.models import Cause, Evidence, SubmissionFile
from grader.notebook.facts import PAGE, NotebookFacts
from grader.notebook.page import page_of
from grader.record.graded import SUBMISSION, pack_files
from grader.report.model import Capture, FileFact, Moment
from grader.report.report_json import build_report, write_report
from grader.review.app import make_app
from grader.review.board import Board
from grader.review.guard import Origin
from grader.review.sessions import Person as Reviewer
from grader.review.sessions import Sessions
from grader.text import CandidateText

sys.path.insert(0, str(Path(__file__).parent))
from sample_report import record, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.report.model import Report
    from grader.review.board import Case

URL = "http://127.0.0.1:8765"
PEOPLE = (
    Person(
        "annabelle.leitner", "leitnerpower", "Annabelle", "Leitner", "a.leitner@wien.example",
        number="4711822",
    ),
    Person("jürgen.müßig", "jmz99", "Jürgen", "Müßig", "juergen@example.org"),
    Person("li.wu", "wuwei88", "Li", "Wu", "li.wu@example.net"),
    Person("o'connor-smythe", "oconnorsmythe", "Siobhán", "O'Connor-Smythe", "siobhan@example.com"),
    Person("zhang_qiuyue", "qiuyue", "Qiuyue", "Zhang", "zhang@example.com", on_roster=False),
)  # fmt: skip


def told(person: Person) -> str:
    """A text that names somebody in every way that a roster knows."""
    return (
        f"by {person.first_name} {person.last_name} <{person.email}>, {person.username}, "
        f"{person.identifier}, {person.number}, {person.first_name.upper()}_{person.last_name}"
    )


def hostile(person: Person, number: int) -> tuple[Report, tuple[SubmissionFile, ...]]:
    """A run whose every text of the candidate's names them."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", person.identifier)
    text = told(person)
    notebook = {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"authors": [{"name": text}], "kernelspec": {"name": name}},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {"by": text}, "source": f"# {text}"},
            {"cell_type": "code", "id": "b", "metadata": {"by": text}, "execution_count": 1,
             "source": f"x = 1  # {text}",
             "outputs": [{"output_type": "stream", "name": "stdout", "text": text}]},
        ],
    }  # fmt: skip
    folder = person.last_name.encode("ascii", "ignore").decode() or "x"
    files = tuple(
        sorted(
            (
                SubmissionFile("solution.py", f"x = {number}  # {text}\n".encode()),
                SubmissionFile(f"{folder}/{person.username}.py", f'"""{text}"""\n'.encode()),
                SubmissionFile("notes.ipynb", json.dumps(notebook).encode()),
                SubmissionFile(".gitconfig.txt", f"[user]\nname = {text}\n".encode()),
            ),
            key=lambda file: file.path,
        )
    )  # fmt: skip
    failed = dataclasses.replace(
        record("test_two", message=f"expected 1, got {text}"),
        where=f"{folder}/{person.username}.py:1 in f", remarks=(text,),
    )  # fmt: skip
    made = report(record("test_one"), record("test_three", criterion="scale"), failed, name=name)
    made = dataclasses.replace(
        made,
        submission_digest=digest_of(files),
        submission_notes=(f"took off the folder {name}/", text),
        files=tuple(FileFact(file.path, len(file.data), "b" * 64) for file in files),
        moment=Moment(
            f"run-{number}",
            "2026-01-01T00:00:00+00:00",
            captures=(Capture("test_a.py::test_two", CandidateText(text), CandidateText(text)),),
            warnings=(text,),
        ),
        notebook=NotebookFacts("notes.ipynb", 1, 1, (), "", (), 0, ""),
    )
    return made, files


def store(folder: Path, made: Report, files: tuple[SubmissionFile, ...]) -> Path:
    """Write a run as a collection does; its folder."""
    run = folder / "runs" / f"{made.submission_name}-{made.submission_digest[:8]}"
    run.mkdir(parents=True, exist_ok=True)
    write_report(run / "report.json", build_report(made))
    (run / SUBMISSION).write_bytes(pack_files(files))
    return run


def picture(text: str) -> bytes:
    """A PNG file of one pixel with an author."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checked)

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0")
    author = chunk(b"tEXt", b"Author\0" + text.encode("latin-1", "replace"))
    chunks = chunk(b"IHDR", head) + author + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def ran(person: Person) -> str:
    """What the sanitiser leaves of a notebook in which somebody names themselves."""
    first, last = (html.escape(name) for name in (person.first_name, person.last_name))
    packed = base64.b64encode(picture(told(person))).decode()
    return (
        f'<div class="cell {re.sub("[^A-Za-z0-9_]", "_", person.username)}">'
        f"<h1>{first[:2]}<b>{first[2:]}</b></h1>"
        f'<pre><span class="c1"># {html.escape(told(person))}</span>\n'
        f'<span class="n">{last[:1]}</span><span class="n">{last[1:]}</span> = 1</pre>'
        f"<p>{''.join(f'&#{ord(char)};' for char in person.last_name)}</p>"
        f'<img src="data:image/png;base64,{packed}" alt="figure"></div>'
    )


def fill(folder: Path, people: tuple[Person, ...] = PEOPLE) -> Path:
    """A folder as ``grade collect`` leaves it, one run for each of some people."""
    cases = []
    for number, person in enumerate(people):
        made, files = hostile(person, number)
        run = store(folder, made, files)
        (run / PAGE).write_text(page_of(ran(person), "notes"), "utf-8")
        cases.append(
            StoredCase(
                person.identifier, made.exercise_id, run.relative_to(folder).as_posix(),
                (made.submission_name, f"{person.username}_final"), made.submission_digest,
            )
        )  # fmt: skip
    write_cases(folder, people, cases)
    return folder


def write_cases(folder: Path, people: tuple[Person, ...], cases: list[StoredCase]) -> None:
    data = msgspec.json.encode(Cases(SCHEMA, people, tuple(cases)))
    (folder / "cases.json").write_bytes(data)


def regraded(folder: Path, person: Person) -> None:
    """The same submission after its hidden tests changed: another verdict."""
    made, files = hostile(person, PEOPLE.index(person))
    evidence: list[Evidence] = [
        dataclasses.replace(r, cause=Cause.TIMEOUT) if r.message else r for r in made.evidence
    ]
    store(folder, dataclasses.replace(made, evidence=tuple(evidence)), files)


class Client:
    """A browser: it keeps cookies, follows redirects and says where its forms come from."""

    def __init__(self, app: Any, *, raised: bool = False, **headers: str) -> None:
        self._app, self._raised = app, raised
        form = "application/x-www-form-urlencoded"  # which browsers say of an empty form too
        self.headers = {"origin": URL, "content-type": form, **headers}
        self.cookies = httpx.Cookies()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> httpx.Response:
        return self.ask("POST", path, data=data or {}, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        # In a thread of its own: while Playwright is open, this one has a running event loop.
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(asyncio.run, self._ask(method, path, **options)).result()

    async def _ask(
        self, method: str, path: str, *, follow: bool = True, headers: Any = None, **options: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=self._raised)
        given = self.headers if headers is None else headers
        async with httpx.AsyncClient(
            transport=transport, base_url=URL, cookies=self.cookies, headers=given
        ) as browser:
            answer = await browser.request(method, path, follow_redirects=follow, **options)
            self.cookies = browser.cookies
            return answer


def client(
    board: Board,
    name: str = "rosa",
    *,
    organiser: bool = True,
    raised: bool = False,
    **options: Any,
) -> Client:
    """A browser that is logged in; with `raised`, an error that leaves the app is the test's."""
    sessions = Sessions(board, name)
    app = make_app(board, origin=Origin(URL, "localhost:8765"), sessions=sessions, **options)
    made = Client(app, raised=raised)
    made.get(f"/enter/{sessions.link(Reviewer(name, organiser=organiser))}")
    return made


@contextmanager
def boards_over(folder: Path) -> Iterator[Callable[..., Board]]:
    """Fill a folder, and make boards over it that are closed at the end."""
    fill(folder)
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(closing(Board(folder, None, **options)))


def case_of(board: Board, place: int = 0) -> Case:
    """The case of somebody on the roster."""
    who = PEOPLE[place].identifier
    return next(case for case in board.cases.values() if case.stored.who == who)


def form(board: Board, case: Case, **fields: object) -> dict[str, object]:
    """What the form of a case sends; about the provisional category unless told otherwise."""
    base = {"category": "problem_solving", "action": "save", "seen": board.log.last}
    return {**base, "run": case.run, "scoring": case.scoring, **fields}


def decide(browser: Client, board: Board, case: Case, **fields: object) -> httpx.Response:
    """Send it."""
    return browser.post(f"/case/{case.alias}/decide", form(board, case, **fields))
