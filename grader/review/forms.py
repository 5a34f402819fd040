"""What forms do: each post is checked, becomes events, and leads back to a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.decisions.events import Conflict, Draft, Kind
from grader.errors import GraderError, UsageError
from grader.review.pages import Wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from grader.decisions.events import Event
    from grader.review.board import Board, Case
    from grader.review.pages import Pages
    from grader.review.sessions import Person

__all__ = ["Forms", "Posted", "posted_fields"]

_MOST_BYTES = 64 << 10
_MOST_TEXT = 4000
_MOST_FIELDS = 300


@dataclass(frozen=True, slots=True)
class Posted:
    """The fields of a form; of a name that stands several times, all values."""

    fields: dict[str, list[str]]

    def text(self, name: str) -> str:
        """One value without white space around it."""
        value = self.fields.get(name, [""])[-1].replace("\r\n", "\n").strip()
        if len(value) > _MOST_TEXT:
            raise UsageError(f"a reason or a note has at most {_MOST_TEXT:,} characters")
        return value

    def shortened(self, name: str) -> str:
        """One value, of which what is too long is cut off."""
        return self.fields.get(name, [""])[-1][:_MOST_TEXT]

    def number(self, name: str) -> int:
        """A whole number; 0 where it is none."""
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


class Forms:
    """The posts over a board.

    Args:
        board: the cases and their log.
        pages: show a page again where something is wrong with a form.
        decided: told of each event, after it is on the disk.
    """

    def __init__(self, board: Board, pages: Pages, decided: Callable[[Case, Event], None]) -> None:
        self.board, self.pages, self._decided = board, pages, decided

    def _store(self, case: Case, drafts: list[Draft], seen: int | None) -> None:
        # Who has not given an opinion of their own yet is not told of others' by a conflict.
        apart = {d.category for d in drafts if self.board.hidden(case, d.category, d.by)}
        events = self.board.log.add_all(drafts, seen=seen, apart=apart)
        self.board.refresh()
        for event in events:
            self._decided(case, event)

    async def decide(self, request: Request) -> Response:
        """Confirm, overrule, score or settle one category."""
        posted = await posted_fields(request)
        return await run_in_threadpool(self._decide, request, posted)

    def _decide(self, request: Request, posted: Posted) -> Response:
        case = self.pages.case_of(request)
        person: Person = request.state.person
        category = posted.text("category")
        try:
            self._check_same_run(case, posted)
            draft = self._draft(case, person, category, posted)
            self._store(case, [draft], posted.number("seen"))
        except Conflict as conflict:
            return self._conflict(case, person, posted, conflict.event)
        except UsageError as error:
            wrong = Wrong(str(error), category, posted.number("level"), posted.shortened("reason"))
            return self.pages.case_page(case, person, status=422, wrong=wrong)
        return self._onwards(case, person)

    def _check_same_run(self, case: Case, posted: Posted) -> None:
        if (posted.text("run"), posted.text("scoring")) != (case.run, case.scoring):
            raise UsageError(
                "this submission was graded or scored again since you opened its page: "
                "look at it once more"
            )

    def _draft(self, case: Case, person: Person, category: str, posted: Posted) -> Draft:
        found = {c.id: c for c in case.machine.scorecard.categories}.get(category)
        if found is None:
            raise UsageError("there is no such category")
        machine = int(found.level) if found.assessed else None
        action, level = posted.text("action"), posted.number("level")
        reason = posted.text("reason")
        if action == "confirm" and machine is not None:
            kind, level = Kind.CONFIRM, machine
        elif action == "again":
            return self._again(case, person, category, posted.number("refers"), machine)
        elif action == "settle":
            kind = Kind.ADJUDICATE
        elif machine is None:
            kind = Kind.SCORE
        else:
            kind = Kind.CONFIRM if level == machine else Kind.OVERRULE
        return Draft(
            kind, person.name, case.alias, case.exercise, category, level or None, machine,
            case.run, case.scoring, text=reason,
        )  # fmt: skip

    def _again(
        self, case: Case, person: Person, category: str, number: int, machine: int | None
    ) -> Draft:
        """A stale decision, made once more on the present run by whoever looks at it now."""
        stale = self.board.standing(case, category).stale
        visible = self.board.decisions(case, person.name).get(category, [])
        old = next((event for event in stale if event.seq == number), None)
        if old is None or old.level is None or old not in visible:
            raise UsageError("there is no such stale decision")
        kind = Kind.CONFIRM if old.level == machine else Kind.OVERRULE
        if machine is None:
            kind = Kind.SCORE
        reason = old.text or ""
        if kind is Kind.OVERRULE and not reason:
            reason = f"As decided in event {old.seq}, confirmed on the present run."
        return Draft(
            kind, person.name, case.alias, case.exercise, category, old.level, machine,
            case.run, case.scoring, refers=old.seq, text=reason,
        )  # fmt: skip

    async def confirm_all(self, request: Request) -> Response:
        """Confirm the machine's level in each category that waits for this reviewer."""
        posted = await posted_fields(request)
        return await run_in_threadpool(self._confirm_all, request, posted)

    def _confirm_all(self, request: Request, posted: Posted) -> Response:
        case = self.pages.case_of(request)
        person: Person = request.state.person
        levels = {c.id: int(c.level) for c in case.machine.scorecard.categories if c.assessed}
        drafts = [
            Draft(
                Kind.CONFIRM, person.name, case.alias, case.exercise, need.category,
                levels[need.category], levels[need.category], case.run, case.scoring,
            )
            for need in self.board.needs(case, person.name)
            if need.why in {"provisional", "second opinion"} and need.category in levels
        ]  # fmt: skip
        try:
            self._check_same_run(case, posted)
            self._store(case, drafts, posted.number("seen"))
        except Conflict as conflict:
            return self._conflict(case, person, posted, conflict.event)
        except UsageError as error:
            return self.pages.case_page(case, person, status=422, wrong=Wrong(str(error)))
        return self._onwards(case, person)

    def _onwards(self, case: Case, person: Person) -> Response:
        """To what waits next: in this case, then in the next one, then to the queue."""
        if needs := self.board.needs(case, person.name):
            return _to(f"/case/{case.alias}?done=decided#cat-{needs[0].category}")
        after = self.pages.around(case, person)
        if after["waiting"]:
            return _to(f"/case/{after['after'].alias}?done=decided")
        return _to("/?done=all")

    def _conflict(self, case: Case, person: Person, posted: Posted, event: Event) -> Response:
        """Both versions beside each other, and the form once more."""
        self.board.refresh()
        return self.pages.render(
            "conflict.html.j2", person, status=409, case=case, event=event,
            theirs=self.pages.views.text(case, event.text), level=posted.number("level"),
            reason=posted.text("reason"), action=posted.text("action"), last=self.board.state.last,
            categories={c.id: c.title for c in case.machine.scorecard.categories},
        )  # fmt: skip

    async def note(self, request: Request) -> Response:
        """Leave a note for colleagues."""
        posted = await posted_fields(request)
        case, person = self.pages.case_of(request), request.state.person
        draft = Draft(Kind.NOTE, person.name, case.alias, case.exercise, text=posted.text("text"))
        return await self._simple(case, person, draft, posted.number("seen"), "noted")

    async def withdraw(self, request: Request) -> Response:
        """Take back an own decision or note."""
        posted = await posted_fields(request)
        case, person = self.pages.case_of(request), request.state.person
        draft = Draft(
            Kind.WITHDRAW, person.name, case.alias, case.exercise, posted.text("category"),
            refers=posted.number("refers"),
        )  # fmt: skip
        return await self._simple(case, person, draft, None, "withdrawn")

    async def _simple(
        self, case: Case, person: Person, draft: Draft, seen: int | None, done: str
    ) -> Response:
        def work() -> Response:
            try:
                self._store(case, [draft], seen)
            except GraderError as error:
                return self.pages.case_page(case, person, status=422, wrong=Wrong(str(error)))
            return _to(f"/case/{case.alias}?done={done}")

        return await run_in_threadpool(work)

    async def unblind(self, request: Request) -> Response:
        """Show the names of an exercise, once nothing of it waits for a decision."""
        await posted_fields(request)
        person: Person = request.state.person
        exercise = request.path_params["exercise"]

        def work() -> Response:
            if exercise not in self.board.exercises():
                raise HTTPException(404, "there is no such exercise")
            if not person.organiser:
                raise HTTPException(403, "only who started grade review can show names")
            if waiting := self.board.unblind(exercise, person.name):
                raise HTTPException(
                    409, f"{waiting} submissions of {exercise} still wait for a decision"
                )
            return _to("/?done=unblinded")

        return await run_in_threadpool(work)


async def posted_fields(request: Request) -> Posted:
    """The fields of a form.

    Raises:
        HTTPException: the form is too long, or is no form.
    """
    body = await request.body()
    if len(body) > _MOST_BYTES:
        raise HTTPException(413, "the form is too long")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="replace",
            max_num_fields=_MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Posted(fields)


def _to(address: str) -> Response:
    return RedirectResponse(address, 303)
