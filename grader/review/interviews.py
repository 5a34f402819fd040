"""Stages that people score: a form for each candidate, and all stages beside each other.

An interviewer knows the candidate, so the form is found by a name; but the name is posted and never
shown in a page or an address, and a stage has another pseudonym than an exercise. All stages of a
candidate show together once the names of the exercises are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.decisions.events import Conflict, Draft, Kind
from grader.errors import UsageError
from grader.review.forms import posted_fields
from grader.review.listing import whole
from grader.review.pages import Wrong
from grader.review.stages import Sheet, Stages
from grader.scorecard.outcome import Answers, combined, outcome, share_of_scale
from grader.scorecard.read import load_scorecards, load_stage_weights
from grader.text import CandidateText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request

    from grader.decisions.events import Event
    from grader.decisions.fold import Standing
    from grader.review.board import Board
    from grader.review.forms import Posted
    from grader.review.pages import Pages
    from grader.review.sessions import Person
    from grader.scorecard.outcome import Outcome

__all__ = ["Interviews"]

_ON_PAGE = 100
_STORED = "stored"  # the choice to leave a level as it is stored


@dataclass(frozen=True, slots=True)
class Entered:
    """What a form holds, stored or not.

    Attributes:
        levels: category → position of the level, from 1.
        reasons: category → what was written.
        ticks: names of what is ticked.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    ticks: frozenset[str] = frozenset()


class Interviews:
    """Forms of scorecards over a board.

    Args:
        board: the candidates and the log.
        pages: show a page.
        root: the checkout with the scorecards; None for none.
        decided: told of each event with the sheet's pseudonym, once it is on the disk.
    """

    def __init__(
        self,
        board: Board,
        pages: Pages,
        root: Path | None,
        decided: Callable[[str, Event], None],
    ) -> None:
        self.board, self.pages, self._decided = board, pages, decided
        self.cards = load_scorecards(root) if root is not None else {}
        known = {*self.cards, *board.exercises()}
        self.weights = load_stage_weights(root, known) if root is not None else {}
        self.stages = Stages(board, self.cards)

    def _sheet(self, request: Request) -> Sheet:
        key = (request.path_params["card"], request.path_params["alias"])
        found = self.stages.sheets().get(key)
        if found is None:
            raise HTTPException(404, "there is no such form")
        return found

    # pages

    def index(self, request: Request) -> Response:
        """The scorecards, the way to a candidate's form, and who has scored which card."""
        person: Person = request.state.person
        filled = self.stages.filled(person.name)
        counts = dict.fromkeys(self.cards, 0)
        for one in filled:
            counts[one.sheet.card.id] += 1
        number = max(1, whole(request.query_params.get("page", "1"), 1))
        return self.pages.render(
            "interviews.html.j2", person, cards=self.cards, counts=counts, number=number,
            filled=filled[(number - 1) * _ON_PAGE : number * _ON_PAGE],
            pages=-(-len(filled) // _ON_PAGE),
        )  # fmt: skip

    async def find(self, request: Request) -> Response:
        """From a posted name to the form; the name goes no further."""
        posted = await posted_fields(request)
        card, who = posted.text("card"), posted.text("who").casefold()
        found = [
            person.identifier
            for person in self.board.people.values()
            if who and who in {
                name.casefold()
                for name in (person.identifier, person.username, person.email, person.name)
            }
        ]  # fmt: skip
        if card not in self.cards or len(found) != 1:
            told = "nobody" if not found else "several people"
            raise HTTPException(404, f"the roster has {told} of this name: give the identifier")
        return RedirectResponse(f"/interview/{card}/{self.stages.alias(card, found[0])}", 303)

    def form(self, request: Request) -> Response:
        """A scorecard to fill in."""
        return self._form(self._sheet(request), request.state.person)

    def _form(
        self,
        sheet: Sheet,
        person: Person,
        wrong: str = "",
        status: int = 200,
        entered: Entered | None = None,
    ) -> Response:
        """The form with what is stored, or with what came back and could not be."""
        standings = self.stages.standings(sheet)
        seniority = self.stages.seniority(sheet.who)
        mine = self.stages.own(sheet, person.name)
        return self.pages.render(
            "interview.html.j2", person, status=status, card=sheet.card, sheet=sheet,
            mine=mine, wrong=Wrong(wrong), last=self.board.state.last, seniority=seniority,
            entered=entered or self._stored(sheet, person.name),
            result=outcome(sheet.card, mine, seniority),
            others={
                c.id: self._others(standings[c.id], person.name) for c in sheet.card.categories
            },
            standing=standings, level_names=list(sheet.card.levels.values()),
        )  # fmt: skip

    def _stored(self, sheet: Sheet, by: str, until: int | None = None) -> Entered:
        """A reviewer's own answers as a form has them; with `until`, as they were then."""
        own = {
            category: event
            for category, now in self.stages.standings(sheet, until).items()
            if (event := now.opinions.get(by))
        }
        return Entered(
            {category: event.level or 0 for category, event in own.items()},
            {category: event.text or "" for category, event in own.items()},
            self.stages.observed(sheet, by, until),
        )

    def _others(self, now: Standing, reviewer: str) -> list[dict[str, Any]]:
        """Opinions of others, once this reviewer's own is in."""
        if reviewer not in now.opinions:
            return []
        return [
            {"event": event, "text": self._text(event)}
            for by, event in now.opinions.items()
            if by != reviewer
        ]

    def _text(self, event: Event) -> CandidateText:
        return CandidateText(self.board.mask(event.text or ""))

    # answers

    async def store(self, request: Request) -> Response:
        """Levels, ticked points and indicators of a form, as events."""
        posted = await posted_fields(request)
        sheet, person = self._sheet(request), request.state.person
        return await run_in_threadpool(self._store, sheet, person, posted)

    def _store(self, sheet: Sheet, person: Person, posted: Posted) -> Response:
        entered = _entered(sheet, posted)
        seen = posted.number("seen")
        try:
            drafts = self._drafts(sheet, person.name, entered, posted)
            now = self.stages.standings(sheet)
            apart = {d.category for d in drafts if person.name not in now[d.category].opinions}
            ticks = self._ticks(sheet, person.name, entered, seen)
            events = self.board.log.add_all([*drafts, *ticks], seen=seen, apart=apart)
        except Conflict:
            return self._conflict(sheet, person, entered, seen)
        except UsageError as error:
            return self._form(sheet, person, str(error), 422, entered)
        self.board.refresh()
        for event in events:
            self._decided(sheet.alias, event)
        return RedirectResponse(f"/interview/{sheet.card.id}/{sheet.alias}?done=1", 303)

    def _drafts(self, sheet: Sheet, by: str, entered: Entered, posted: Posted) -> list[Draft]:
        """Levels and reasons that were changed on the form, compared with what it had shown."""
        card, digest = sheet.card, sheet.card.digest
        if posted.text("digest") != digest:
            raise UsageError(
                "the scorecard has changed since you opened it: look at its levels again"
            )
        now, then = self._stored(sheet, by), self._stored(sheet, by, posted.number("seen"))
        drafts = []
        for category in card.categories:
            name = category.id
            level, reason = entered.levels.get(name, 0), posted.text(name)
            written = (level, reason)
            known = [(e.levels.get(name, 0), e.reasons.get(name, "")) for e in (now, then)]
            if not level or written in known or posted.text(f"take-{name}") == _STORED:
                continue
            if level > len(card.levels):
                raise UsageError(f"{category.title} has no level {level}")
            drafts.append(
                Draft(
                    Kind.SCORE, by, sheet.alias, sheet.stage, name, level,
                    run=digest, scoring=digest, text=reason,
                )
            )  # fmt: skip
        return drafts

    def _ticks(self, sheet: Sheet, by: str, entered: Entered, seen: int) -> list[Draft]:
        """What was ticked or cleared on the form, put together with what is stored by now."""
        then, now = (self.stages.observed(sheet, by, until) for until in (seen, None))
        ticks = (now | (entered.ticks - then)) - (then - entered.ticks)
        if ticks == now:
            return []
        digest = sheet.card.digest
        return [
            Draft(
                Kind.OBSERVE, by, sheet.alias, sheet.stage, run=digest, scoring=digest,
                data=tuple(sorted(ticks)),
            )
        ]  # fmt: skip

    def _conflict(self, sheet: Sheet, person: Person, entered: Entered, seen: int) -> Response:
        """Both versions of each level that changed meanwhile, and the whole form once more."""
        self.board.refresh()
        names = list(sheet.card.levels.values())
        stored = self._stored(sheet, person.name)
        ids = [c for c in entered.levels if entered.levels[c] <= len(names)]
        changed = self.stages.changed(sheet, seen, person.name, ids)
        clashes = [
            {
                "id": category.id,
                "title": category.title,
                "events": [(event, names[(event.level or 1) - 1], self._text(event))
                           for event in events],
                "level": names[entered.levels[category.id] - 1],
            }
            for category in sheet.card.categories
            if (events := changed.get(category.id))
            and (entered.levels[category.id], entered.reasons.get(category.id, ""))
            != (stored.levels.get(category.id), stored.reasons.get(category.id, ""))
        ]  # fmt: skip
        return self.pages.render(
            "interview_conflict.html.j2", person, status=409, card=sheet.card, sheet=sheet,
            clashes=clashes, entered=entered, last=self.board.state.last,
        )  # fmt: skip

    # all stages of one candidate

    def candidate(self, request: Request) -> Response:
        """Exercises and scorecards of one candidate, each beside what the seniority expects."""
        reader: Person = request.state.person
        who = self.who(request.path_params["alias"])
        cases = [c for c in self.board.cases.values() if c.stored.who == who]
        if not cases or any(self.board.is_blind(c) for c in cases):
            raise HTTPException(403, "stages show together once the names of all exercises do")
        seniority = self.stages.seniority(who)
        results: list[tuple[Sheet, Answers, Outcome, tuple[str, ...]]] = []
        for sheet in self.stages.of(who):
            answers, hidden = self.stages.counting(sheet, reader.name)
            results.append((sheet, answers, outcome(sheet.card, answers, seniority), hidden))
        cards = [(case, self.board.card(case, reader.name)) for case in cases]
        shares = {case.exercise: share_of_scale(card.overall, 4) for case, card in cards}
        shares |= {
            s.card.id: share_of_scale(r.overall, len(s.card.levels))
            for s, _, r, _ in results
            if r.overall is not None
        }
        person = self.board.people.get(who)
        return self.pages.render(
            "candidate.html.j2", reader, name=person.name if person else who,
            cards=cards, results=results, seniority=seniority,
            overall=combined(self.weights, shares), weights=self.weights,
        )  # fmt: skip

    def alias(self, who: str) -> str:
        """The pseudonym of a candidate over all stages."""
        return self.board.names.case("candidate", who)

    def who(self, alias: str) -> str:
        """The candidate of such a pseudonym.

        Raises:
            HTTPException: nobody's.
        """
        for who in self.board.people:
            if self.alias(who) == alias:
                return who
        raise HTTPException(404, "there is no such candidate")


def _entered(sheet: Sheet, posted: Posted) -> Entered:
    """What a post holds; texts that are too long are cut, as nothing of it is stored yet."""
    levels = {c.id: posted.number(f"level-{c.id}") for c in sheet.card.categories}
    return Entered(
        {category: level for category, level in levels.items() if level},
        {c.id: posted.shortened(c.id) for c in sheet.card.categories},
        frozenset(sheet.known() & set(posted.fields.get("seen-here", ()))),
    )
