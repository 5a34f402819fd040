"""A folder of results as reviewers see it: cases under pseudonyms, what is decided, what waits."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.collect.cases import FILE as CASES
from grader.collect.cases import pseudonym, read_cases
from grader.decisions.events import START, Draft, Kind, canonical, chained
from grader.decisions.final import final_card
from grader.decisions.fold import Standing, State, standing
from grader.decisions.log import Log, check_chain
from grader.decisions.names import open_names
from grader.errors import UsageError
from grader.exercise.contract import load_exercise
from grader.models import Status
from grader.report.decided import run_digest, weights_of
from grader.report.dossier import open_dossier
from grader.report.report_json import read_report
from grader.report.stored import report_from, scored_again
from grader.review.mask import Mask, names_of
from grader.starter import handed_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from grader.collect.cases import StoredCase
    from grader.decisions.events import Event
    from grader.models import CollectedTest, Evidence, Exercise
    from grader.report.dossier import Dossier
    from grader.report.model import Report
    from grader.scores import CategoryScore, ScoreCard

__all__ = ["Board", "Case", "Need"]

_DOSSIERS = 16  # kept in memory
_NOTHING = Standing(None, (), {}, disputed=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One candidate in one exercise.

    Attributes:
        alias: the pseudonym.
        stored: whose it is; never shown while the exercise is blind.
        folder: of the run.
        machine: the machine's report without its long parts and without what verdicts quote.
        run: digest of the evidence.
    """

    alias: str
    stored: StoredCase
    folder: Path
    machine: Report
    run: str

    @property
    def exercise(self) -> str:
        """Id of the exercise."""
        return self.machine.exercise_id

    @property
    def scoring(self) -> str:
        """Digest of rubric, expectations and task sheet."""
        return self.machine.run.scoring_digest

    @property
    def failed(self) -> list[Evidence]:
        """Verdicts of the checks that failed."""
        return [r for r in self.machine.evidence if r.status is not Status.PASSED]


@dataclass(frozen=True, slots=True)
class Need:
    """Why a category waits for somebody.

    Attributes:
        why: ``provisional``, ``stale``, ``disputed`` or ``second opinion``.
    """

    category: str
    title: str
    why: str


class Board:
    """All cases of a folder of results, with its log of decisions.

    Args:
        folder: filled by ``grade collect`` or ``grade``.
        root: the checkout with the exercises; None keeps scores and weights as recorded.
        opinions: of how many reviewers a provisional category needs a decision.
        progress: told of each case that was read.

    Attributes:
        broken: what is wrong with the log, one sentence each; it should be empty.

    Raises:
        UsageError: the folder holds no case, or is on a network file system.
    """

    def __init__(
        self,
        folder: Path,
        root: Path | None,
        *,
        opinions: int = 1,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> None:
        self.folder = folder.resolve()
        self.opinions = opinions
        self._progress = progress
        self._lock = threading.RLock()
        self._root = root
        self.load = functools.cache(self._load)
        self._given = functools.cache(self._handed_out)
        self.log = Log(self.folder)
        self.names = open_names(self.folder)
        self.state = State()
        self._tests: dict[CollectedTest, CollectedTest] = {}
        self._stamp: object = None
        self._reports: dict[str, object] = {}
        self._versions: dict[str, int] = {}
        self._cards: dict[tuple[str, str], tuple[int, Case, ScoreCard]] = {}
        self._needed: dict[tuple[str, str], tuple[int, Case, tuple[Need, ...]]] = {}
        self._orders: dict[str, tuple[object, list[Case]]] = {}
        self._standings: dict[tuple[str, ...], tuple[tuple[int, ...], Standing]] = {}
        self._dossiers: OrderedDict[str, tuple[object, Dossier]] = OrderedDict()
        self.cases: dict[str, Case] = {}
        self.mask = Mask(())
        self._hash = START
        self.broken: tuple[str, ...] = ()
        self.refresh()
        self.broken = tuple(check_chain(self.log))

    def warm(self) -> None:
        """Read what the first page of a case would wait for."""
        for name in self.exercises():
            self._given(name)

    def close(self) -> None:
        """Close the log."""
        self.log.close()

    def _load(self, exercise: str) -> Exercise | None:
        return None if self._root is None else load_exercise(exercise, root=self._root)

    def _handed_out(self, exercise: str) -> Mapping[str, frozenset[bytes]]:
        loaded = self.load(exercise)
        return {} if loaded is None else handed_out(loaded)

    def refresh(self) -> None:
        """Take in what happened since: events of other processes, runs of another collection."""
        with self._lock:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._read()
                self._stamp = stamp
            self._take_in()

    def _take_in(self) -> None:
        """Add the events since the last look, and see whether they follow from those before."""
        if self.log.last < self.state.last:
            self._found_broken(f"events after number {self.log.last} are gone")
        for event in self.log.events(after=self.state.last):
            if chained(self._hash, canonical(event)) != event.hash:
                self._found_broken(f"event {event.seq} is not as it was written")
            self._hash = event.hash
            self.state.add(event)
            # Afterwards: who reads the number first computes of no less than what it stands for.
            self._versions[event.case] = self._versions.get(event.case, 0) + 1

    def _found_broken(self, what: str) -> None:
        if what not in self.broken:
            self.broken = (*self.broken, what)

    def _stamped(self) -> object:
        path = self.folder / CASES
        if path.is_file():
            return _stamp(path)
        return sorted(item.name for item in self.folder.iterdir() if item.is_dir())

    def _read(self) -> None:
        stored = read_cases(self.folder)
        whole = {name for case in stored.cases for name in (case.who, *case.names)}
        # Before the cases: at no moment does a page show a case whose names it does not know.
        self.mask = Mask((name for person in stored.people for name in names_of(person)), whole)
        self.people = {person.identifier: person for person in stored.people}
        found: dict[str, Case] = {}
        stamps: dict[str, object] = {}
        for number, item in enumerate(stored.cases, 1):
            alias = pseudonym(item, self.names)
            folder = self.folder / item.run
            stamps[alias] = (folder, _stamp(folder / "report.json"))
            known = self.cases.get(alias) if self._reports.get(alias) == stamps[alias] else None
            found[alias] = known or self._case(alias, item, folder)
            self._progress(number, len(stored.cases))
        self.cases, self._reports = found, stamps
        self._dossiers.clear()

    def _case(self, alias: str, item: StoredCase, folder: Path) -> Case:
        report = report_from(read_report(folder / "report.json"))
        exercise = self.load(report.exercise_id)
        if exercise is not None:
            report, _ = scored_again(report, (), exercise)
        return Case(alias, item, folder, self._light(report), run_digest(report))

    def _light(self, report: Report) -> Report:
        """The report without what only a page of its own shows; tests are shared among cases."""
        categories = tuple(
            dataclasses.replace(c, indicators=()) for c in report.scorecard.categories
        )
        return dataclasses.replace(
            report,
            submission_notes=(),
            files=(),
            findings=None,
            notebook=None,
            moment=dataclasses.replace(report.moment, captures=()),
            scorecard=dataclasses.replace(report.scorecard, categories=categories),
            evidence=tuple(
                dataclasses.replace(
                    r, test=self._tests.setdefault(r.test, r.test), message="", where="",
                    measurements=(), remarks=(),
                )
                for r in report.evidence
            ),
        )  # fmt: skip

    # what is decided

    def case(self, alias: str) -> Case:
        """A case by its pseudonym.

        Raises:
            UsageError: there is none.
        """
        found = self.cases.get(alias)
        if found is None:
            raise UsageError("there is no such case")
        return found

    def standing(self, case: Case, category: str) -> Standing:
        """What people decided on a category."""
        events = self.state.decisions.get((case.alias, category))
        if not events:
            return _NOTHING
        key = (case.alias, category, case.run, case.scoring)
        seen = tuple(event.seq for event in events)
        kept = self._standings.get(key)
        if kept is None or kept[0] != seen:
            kept = (seen, standing(events, case.run, case.scoring))
            self._standings[key] = kept
        return kept[1]

    def hidden(self, case: Case, category: str, reviewer: str) -> bool:
        """Whether others' levels stay hidden from a reviewer: until their own opinion is in."""
        return self.opinions > 1 and reviewer not in self.standing(case, category).opinions

    def may_read(self, event: Event, case: Case, reviewer: str) -> bool:
        """Whether a reviewer may see what an event says, and not only that it happened.

        A decision can be read once the reviewer's own opinion on its category is in, a note once
        no opinion of theirs is asked for any more.
        """
        if event.by == reviewer or self.opinions == 1:
            return True
        if event.category:
            return not self.hidden(case, event.category, reviewer)
        asked = (need.category for need in self.needs(case, reviewer))
        return not any(self.hidden(case, category, reviewer) for category in asked)

    def decisions(self, case: Case, reviewer: str = "") -> dict[str, list[Event]]:
        """Category → decisions, of which a reviewer may see all; all for nobody in particular."""
        found = self.state.of(case.alias)
        if reviewer:
            for category in found:
                if self.hidden(case, category, reviewer):
                    found[category] = [e for e in found[category] if e.by == reviewer]
        return found

    def card(self, case: Case, reviewer: str = "") -> ScoreCard:
        """The scorecard that counts, as far as a reviewer may see it."""
        version = self._versions.get(case.alias, 0)
        key = (case.alias, reviewer if self.opinions > 1 else "")
        kept = self._cards.get(key)
        if kept is None or kept[0] != version or kept[1] is not case:
            made = final_card(
                case.machine.scorecard,
                self.decisions(case, reviewer),
                case.machine.evidence,
                case.machine.expectation,
                run=case.run,
                scoring=case.scoring,
                weights=weights_of(self.load(case.exercise)),
            )
            kept = self._cards[key] = (version, case, made)
        return kept[2]

    # what is open

    def needs(self, case: Case, reviewer: str = "") -> tuple[Need, ...]:
        """What of a case waits for a decision; of a reviewer, what waits for theirs."""
        version, key = self._versions.get(case.alias, 0), (case.alias, reviewer)
        kept = self._needed.get(key)
        if kept is None or kept[0] != version or kept[1] is not case:
            made = tuple(
                Need(category.id, category.title, why)
                for category in case.machine.scorecard.categories
                if (why := self._why(case, category, reviewer))
            )
            kept = self._needed[key] = (version, case, made)
        return kept[2]

    def _why(self, case: Case, category: CategoryScore, reviewer: str) -> str:
        now = self.standing(case, category.id)
        mine = reviewer in now.opinions
        wanted = self.opinions if category.provisional and category.assessed else 0
        if now.disputed and (mine or len(now.opinions) >= self.opinions or not reviewer):
            return "disputed"
        if now.needs_renewal:
            return "stale"
        if len(now.opinions) < wanted and not (reviewer and mine):
            return "second opinion" if now.opinions else "provisional"
        return ""

    def queue(self, reviewer: str) -> list[Case]:
        """All cases in the order of a reviewer."""
        cases = self.cases
        kept = self._orders.get(reviewer)
        if kept is None or kept[0] is not cases:
            order = [cases[alias] for alias in self.names.ordered(reviewer, cases)]
            kept = self._orders[reviewer] = (cases, order)
        return kept[1]

    def open_cases(self, exercise: str) -> list[Case]:
        """Cases of an exercise that wait for anybody."""
        return [c for c in self.cases.values() if c.exercise == exercise and self.needs(c)]

    # who is who

    def exercises(self) -> dict[str, str]:
        """Id → title of all exercises, by id."""
        found = {c.exercise: c.machine.exercise_title for c in self.cases.values()}
        return dict(sorted(found.items()))

    def is_blind(self, case: Case) -> bool:
        """Whether the name of a case is hidden; one that came after names were shown is."""
        shown = self.state.unblinded.get(case.exercise, frozenset())
        return shown is not None and case.alias not in shown

    def blind_cases(self, exercise: str) -> list[Case]:
        """Cases of an exercise whose names are hidden."""
        return [c for c in self.cases.values() if c.exercise == exercise and self.is_blind(c)]

    def unblind(self, exercise: str, by: str) -> int:
        """Show the names of an exercise if nothing of it waits for a decision.

        Returns:
            How many cases wait; 0 where names are shown now.

        Raises:
            UsageError: somebody decided at the same moment.
        """
        with self._lock:
            self.refresh()
            if waiting := len(self.open_cases(exercise)):
                return waiting
            if blind := sorted(case.alias for case in self.blind_cases(exercise)):
                draft = Draft(Kind.UNBLIND, by, exercise=exercise, data=tuple(blind))
                self.log.add_all([draft], last=self.state.last)
                self.refresh()
            return 0

    def shown(self, case: Case) -> str:
        """What a page calls a case: its pseudonym, or once it is not blind, the candidate."""
        if self.is_blind(case):
            return case.alias
        person = self.people.get(case.stored.who)
        return person.name if person else case.stored.who

    # the whole of one case

    def dossier(self, case: Case) -> Dossier:
        """Report, files and starter of a case, names not yet masked."""
        with self._lock:
            kept = self._dossiers.get(case.alias)
            if kept is not None and kept[0] == case.run:
                self._dossiers.move_to_end(case.alias)
                return kept[1]
        exercise = self.load(case.exercise)
        given = None if exercise is None else self._given(case.exercise)
        dossier, _ = open_dossier(case.folder, exercise, given)
        with self._lock:
            self._dossiers[case.alias] = (case.run, dossier)
            while len(self._dossiers) > _DOSSIERS:
                self._dossiers.popitem(last=False)
        return dossier


def _stamp(path: Path) -> object:
    """What changes with a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
