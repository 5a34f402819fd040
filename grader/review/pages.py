"""The pages that only show something."""

from __future__ import annotations

import functools
import hashlib
import threading
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from grader.errors import UsageError
from grader.models import Status
from grader.report.feedback import (
    ABOUT_FILES,
    BROKEN_LINES,
    HELD,
    LEVELS,
    NOT_LOADED,
    NOT_TOP_TO_BOTTOM,
    feedback_of,
)
from grader.report.html.page import make_environment, style
from grader.report.reliability import Looked, overruled, reliability
from grader.review.listing import Listing, progress_of, whole
from grader.review.stages import Stages
from grader.scoring.final import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request

    from grader.report.sources import SourceFile
    from grader.review.blind import Views
    from grader.review.board import Board, Case
    from grader.review.sessions import Person

__all__ = ["ASSETS", "PAGE_CHARS", "ROW_COST", "Pages", "Wrong", "person_of"]

PAGE_CHARS = 150_000  # of source on one page
ROW_COST = 260
_MESSAGE_CHARS = 600
_MOST_CHECKS = 120
_COMPARED = 3
DONE = {
    "decided": "Your decision is stored.",
    "noted": "Your note is stored.",
    "withdrawn": "Your decision is withdrawn.",
    "unblinded": "Names of this exercise are shown from now on.",
    "all": "Nothing in this queue waits for you any more.",
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a form that came back.

    Attributes:
        said: to the reviewer.
        category: whose form it is; empty for another form.
        level: that was chosen.
        text: that was written.
    """

    said: str = ""
    category: str = ""
    level: int = 0
    text: str = ""


NOTHING = Wrong()


def _asset(name: str) -> bytes:
    return resources.files("grader.review").joinpath("static", name).read_bytes()


@functools.cache
def _assets() -> dict[str, tuple[str, bytes]]:
    """Address → type and content; an address holds the digest of its content."""
    found = {}
    sheet = style().encode() + _asset("review.css")
    for name, kind, data in (
        ("review.css", "text/css; charset=utf-8", sheet),
        ("review.js", "text/javascript; charset=utf-8", _asset("review.js")),
    ):
        stem, _, suffix = name.partition(".")
        found[f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}.{suffix}"] = (kind, data)
    return found


ASSETS = _assets


class Pages:
    """Pages over a board.

    Args:
        board: the cases.
        views: what is shown of one of them.
    """

    def __init__(self, board: Board, views: Views) -> None:
        self.board, self.views = board, views
        self._templates = make_environment("grader.review")
        for name in self._templates.list_templates():
            if name.endswith(".j2"):
                self._templates.get_template(name)  # compiled before the first page is asked for
        self._lock = threading.Lock()
        self.candidate_alias: Callable[[str], str] = str
        self.stages: Stages = Stages(board, {})
        self._agreed: tuple[object, list[Any], list[Any]] = (None, [], [])
        self._css, self._js = (f"/static/{name}" for name in ASSETS())

    def render(
        self, template: str, person: Person, *, status: int = 200, **values: object
    ) -> Response:
        """One page."""
        given: dict[str, object] = {
            "css_url": self._css,
            "js_url": self._js,
            "person": person,
            "board": self.board,
            "shown": self.board.shown,
            "beside": beside,
            "done": "",
        }
        made = self._templates.get_template(template).render({**given, **values})
        return HTMLResponse(made, status)

    def case_of(self, request: Request) -> Case:
        """The case that an address names."""
        try:
            return self.board.case(request.path_params["alias"])
        except UsageError as error:
            raise HTTPException(404, str(error)) from None

    # lists

    def queue(self, request: Request) -> Response:
        """What waits for this reviewer, in their own order."""
        person = person_of(request)
        cases = self.board.queue(person.name)
        waiting = [
            (case, needs) for case in cases if (needs := self.board.needs(case, person.name))
        ]
        number = _number(request, "page")
        return self.render(
            "queue.html.j2", person,
            waiting=waiting[(number - 1) * 50 : number * 50], count=len(waiting),
            of=len(cases), number=number, pages=-(-len(waiting) // 50),
            exercises=self._exercises(), done=DONE.get(request.query_params.get("done", ""), ""),
        )  # fmt: skip

    def _exercises(self) -> list[dict[str, Any]]:
        return [
            {
                "id": name,
                "title": title,
                "blind": bool(self.board.blind_cases(name)),
                "open": len(self.board.open_cases(name)),
                "cases": sum(c.exercise == name for c in self.board.cases.values()),
            }
            for name, title in self.board.exercises().items()
        ]

    def table(self, request: Request) -> Response:
        """All cases, filtered and sorted."""
        person = person_of(request)
        listing = Listing(self.board, person.name, dict(request.query_params))
        return self.render("table.html.j2", person, listing=listing, query=urlencode)

    def progress(self, request: Request) -> Response:
        """Who decided how much."""
        person = person_of(request)
        return self.render(
            "progress.html.j2", person,
            reviewers=progress_of(self.board, person.name), exercises=self._exercises(),
            stages=list(self.stages.progress(person.name)),
        )  # fmt: skip

    def agreement(self, request: Request) -> Response:
        """How far people agree, and which checks they overrule again and again.

        Counted is what the reviewer may see: else one decision more would show in the figures.
        """
        person = person_of(request)
        key = (self.board.state.last, person.name if self.board.opinions > 1 else "")
        with self._lock:
            if self._agreed[0] != key:
                stages = list(self.stages.agreement(key[1]))
                self._agreed = (key, list(self._agreement(key[1])), stages)
        _, exercises, stages = self._agreed
        return self.render("agreement.html.j2", person, exercises=exercises, stages=stages)

    def _agreement(self, reviewer: str) -> Iterator[tuple[str, Any, Any]]:
        for name, title in self.board.exercises().items():
            looked = [
                Looked(
                    case.machine.scorecard, case.machine.evidence,
                    self.board.decisions(case, reviewer), case.run, case.scoring,
                )
                for case in self.board.cases.values()
                if case.exercise == name
            ]  # fmt: skip
            yield title, reliability(looked), overruled(looked)

    def events(self, request: Request) -> Response:
        """The log, newest first."""
        person = person_of(request)
        number = _number(request, "page")
        last = self.board.state.last
        pages = max(1, -(-last // 100))
        newest = last - (number - 1) * 100
        part = self.board.log.events(after=max(0, newest - 100), until=max(0, newest))[::-1]
        rows = [(event, *self._told(event, person.name)) for event in part]
        return self.render("events.html.j2", person, rows=rows, number=number, pages=pages)

    def _told(self, event: Any, reviewer: str) -> tuple[Case | None, Any, bool]:  # noqa: ANN401
        """An event's case, its text, and whether its level is hidden from the reviewer."""
        case = self.board.cases.get(event.case)
        if case is None:
            return None, "", bool(event.level)
        hidden = not self.board.may_read(event, case, reviewer)
        return case, "" if hidden else self.views.text(case, event.text), hidden

    # one case

    def case(self, request: Request) -> Response:
        """Levels, reasons, and the forms to decide."""
        case = self.case_of(request)
        done = DONE.get(request.query_params.get("done", ""), "")
        return self.case_page(case, person_of(request), done=done)

    def case_page(
        self,
        case: Case,
        person: Person,
        *,
        done: str = "",
        status: int = 200,
        wrong: Wrong = NOTHING,
    ) -> Response:
        """The page of a case, with what is wrong with a form where something is."""
        board = self.board
        values = self.views.values(case, person.name)
        needs = {need.category: need.why for need in board.needs(case, person.name)}
        hidden = {
            c.id: board.hidden(case, c.id, person.name) for c in case.machine.scorecard.categories
        }
        opinions = {
            c.id: self._opinions(case, c.id, person.name) for c in case.machine.scorecard.categories
        }
        return self.render(
            "case.html.j2", person, status=status, done=done,
            **{**values, **self.around(case, person)},
            candidate=self._candidate(case), case=case, tab="case", needs=needs, hidden=hidden,
            opinions=opinions,
            standing={c: board.standing(case, c) for c in opinions},
            machine_levels={
                c.id: c.level for c in case.machine.scorecard.categories if c.assessed
            },
            notes=self._notes(case, person.name),
            wrong=wrong, nothing=NOTHING, last=board.state.last,
        )  # fmt: skip

    def _candidate(self, case: Case) -> str:
        """The pseudonym over all stages; empty while names are hidden."""
        return "" if self.board.is_blind(case) else self.candidate_alias(case.stored.who)

    def _opinions(self, case: Case, category: str, reviewer: str) -> list[dict[str, Any]]:
        """Decisions on a category that a reviewer may see, newest first."""
        now = self.board.standing(case, category)
        found = self.board.decisions(case, reviewer).get(category, [])
        return [
            {
                "event": event,
                "text": self.views.text(case, event.text),
                "stale": event in now.stale,
                "counts": now.final is not None and event.seq == now.final.seq,
                "mine": event.by == reviewer,
            }
            for event in reversed(found)
        ]

    def _notes(self, case: Case, reviewer: str) -> list[dict[str, Any]]:
        return [
            {
                "event": event,
                "text": self.views.text(case, event.text),
                "mine": event.by == reviewer,
            }
            for event in self.board.state.notes.get(case.alias, ())
            if self.board.may_read(event, case, reviewer)
        ]

    def around(self, case: Case, person: Person) -> dict[str, Any]:
        """The cases before and after in this reviewer's order; next is one that waits for them."""
        queue = self.board.queue(person.name)
        place = next(n for n, other in enumerate(queue) if other.alias == case.alias)
        after = [*queue[place + 1 :], *queue[:place]]
        waiting = [other for other in after if self.board.needs(other, person.name)]
        return {
            "before": queue[place - 1] if len(queue) > 1 else None,
            "after": next(iter(waiting or after), None),
            "waiting": len(waiting),
        }

    def part(self, request: Request, tab: str, **values: object) -> Response:
        """A further page of a case."""
        case, person = self.case_of(request), person_of(request)
        shown = {**self.views.values(case, person.name), **self.around(case, person), **values}
        name = "feedback" if tab == "told" else tab
        return self.render(f"{tab}.html.j2", person, case=case, tab=name, **shown)

    def checks(self, request: Request) -> Response:
        """Failed checks in full, passed ones by name."""
        case, person = self.case_of(request), person_of(request)
        evidence = self.views.values(case, person.name)["report"].evidence
        failed = [r for r in evidence if r.status is not Status.PASSED]
        return self.part(
            request, "checks", failed=failed[:_MOST_CHECKS], more=failed[_MOST_CHECKS:],
            held=[r for r in evidence if r.status is Status.PASSED], message_chars=_MESSAGE_CHARS,
        )  # fmt: skip

    def check(self, request: Request) -> Response:
        """One check with all that it said."""
        case, person = self.case_of(request), person_of(request)
        evidence = self.views.values(case, person.name)["report"].evidence
        number = whole(request.path_params["number"], 0)
        if not 1 <= number <= len(evidence):
            raise HTTPException(404, "there is no such check")
        return self.part(request, "check", record=evidence[number - 1], number=number)

    def source(self, request: Request) -> Response:
        """One file beside the starter, a part of it where it is long."""
        case, person = self.case_of(request), person_of(request)
        files = self.views.values(case, person.name)["files"]
        number = whole(request.path_params.get("number", "1"), 0)
        if not 1 <= number <= max(1, len(files)):
            raise HTTPException(404, "there is no such file")
        file = files[number - 1] if files else None
        parts = _parts(file)
        which = min(_number(request, "part"), len(parts))
        begin, end = parts[which - 1]
        rows = file.rows[begin:end] if file else ()
        return self.part(
            request, "source", shown_file=file, file_number=number, rows=rows, which=which,
            parts=len(parts), anchor=f"file-{number}",
        )  # fmt: skip

    def feedback(self, request: Request) -> Response:
        """What the candidate will read, as things stand."""
        case, person = self.case_of(request), person_of(request)
        report = self.views.values(case, person.name)["report"]
        return self.part(
            request, "told", told=feedback_of(report), about_files=ABOUT_FILES,
            broken_lines=BROKEN_LINES, held=HELD, levels=LEVELS, not_loaded=NOT_LOADED,
            not_top_to_bottom=NOT_TOP_TO_BOTTOM,
        )  # fmt: skip

    def history(self, request: Request) -> Response:
        """Notes, what was written to the streams, and all that was ever decided on this case."""
        case, person = self.case_of(request), person_of(request)
        events = self.board.state.history.get(case.alias, [])
        rows = [(event, *self._told(event, person.name)) for event in reversed(events)]
        return self.part(request, "history", rows=rows)

    def compare(self, request: Request) -> Response:
        """Two or three cases of one exercise, category by category, with the same rows."""
        person = person_of(request)
        names = list(dict.fromkeys(request.query_params.getlist("case")))[:_COMPARED]
        cases = [found for name in names if (found := self.board.cases.get(name))]
        cases = [case for case in cases if case.exercise == cases[0].exercise]
        if len(cases) < 2:  # noqa: PLR2004 - nothing to compare
            raise HTTPException(400, "choose two or three submissions of one exercise in the table")
        cards = [self.board.card(case, person.name) for case in cases]
        verdicts = [{r.test.id: r.status for r in c.machine.evidence} for c in cases]
        tests = list(dict.fromkeys(r.test for c in cases for r in c.machine.evidence))
        return self.render(
            "compare.html.j2", person, cases=cases, cards=cards,
            rows=_rows(cards, tests, verdicts),
        )  # fmt: skip


def _rows(cards: Sequence[Any], tests: Sequence[Any], verdicts: Sequence[Any]) -> list[Any]:
    """Category → criterion → checks on which the cases differ, with how many they share."""
    found = []
    for place, category in enumerate(cards[0].categories):
        criteria = []
        for number, share in enumerate(category.criteria):
            checks = [t for t in tests if t.criterion == share.id]
            differing = [t for t in checks if len({v.get(t.id) for v in verdicts}) > 1]
            shares = [card.categories[place].criteria[number] for card in cards]
            criteria.append((share, shares, differing, len(checks) - len(differing)))
        found.append((category, [card.categories[place] for card in cards], criteria))
    return [(verdicts, *row) for row in found]


def _parts(file: SourceFile | None) -> list[tuple[int, int]]:
    """Where a file's rows are cut into pages: begin and end of each."""
    rows = file.rows if file else ()
    parts, begin, size = [], 0, 0
    for number, row in enumerate(rows):
        cost = ROW_COST + sum(len(text.raw) for text in (row.old, row.new) if text)
        cost += sum(ROW_COST + len(note.text) for note in row.notes)
        if size + cost > PAGE_CHARS and number > begin:
            parts.append((begin, number))
            begin, size = number, 0
        size += cost
    return [*parts, (begin, len(rows))]


def person_of(request: Request) -> Person:
    """Who asks."""
    person: Person = request.state.person
    return person


def _number(request: Request, name: str) -> int:
    """A number from the address, from 1."""
    return max(1, whole(request.query_params.get(name, "1"), 1))
