"""Two reviewers at once: whatever they do in whatever order, the state is what a model predicts."""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from grader.decisions.events import Conflict, Draft, Kind
from grader.decisions.fold import State, fold, standing
from grader.decisions.log import Log, check_chain

sys.path.insert(0, str(Path(__file__).parent))
from decided import draft

REVIEWERS = ("ann", "bob")
CASES = ("bcdfghjkmn", "zzzzzzzzzz")
CATEGORIES = ("code_clarity", "problem_solving")
RUNS = ("1" * 64, "3" * 64)
SCORING = "2" * 64

STEPS, RUNS_OF_STEPS = 500, 3  # the first run is the simplest one there is
FULLY_EACH = 20  # steps
LENGTHS: list[tuple[int, int]] = []
"""Steps and events of each run."""

reviewers = st.sampled_from(REVIEWERS)
# One choice each, as 500 steps have to go into what Hypothesis generates at most.
decisions = st.sampled_from(
    list(
        itertools.product(
            REVIEWERS, itertools.product(CASES, CATEGORIES), (1, 2, 3, 4), RUNS, (False, True)
        )
    )
)


class Model:
    """The same rules in the plainest form: a list, looked through from the start each time."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def changed(self, place: tuple[str, str], seen: int) -> bool:
        return any(
            e["place"] == place and n > seen
            for n, e in enumerate(self.entries, 1)
            if e["what"] != "note"
        )

    def valid(self, place: tuple[str, str], run: str) -> list[dict[str, Any]]:
        back = {e["refers"] for e in self.entries if e["what"] == "withdraw"}
        return [
            e
            for n, e in enumerate(self.entries, 1)
            if e["place"] == place and e["what"] == "decide" and n not in back and e["run"] == run
        ]

    def level(self, place: tuple[str, str], run: str) -> int | None:
        valid = self.valid(place, run)
        return valid[-1]["level"] if valid else None

    def disputed(self, place: tuple[str, str], run: str) -> bool:
        latest: dict[str, int] = {}
        for entry in self.valid(place, run):
            if entry["settles"]:
                latest = {}
            latest[entry["by"]] = entry["level"]
        return len(set(latest.values())) > 1


class TwoReviewers(RuleBasedStateMachine):
    """Each has a connection of their own, and may not have seen the other's last events."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="decisions-")
        self.logs = {name: Log(Path(self.folder.name)) for name in REVIEWERS}
        self.seen = dict.fromkeys(REVIEWERS, 0)
        self.states = {name: State() for name in REVIEWERS}
        self.state = State()
        self.model = Model()
        self.steps = 0

    def teardown(self) -> None:
        LENGTHS.append((self.steps, len(self.model.entries)))
        self.check_fully()
        for log in self.logs.values():
            log.close()
        self.folder.cleanup()

    @rule(by=reviewers)
    def look(self, by: str) -> None:
        """A page is loaded: it shows everything up to now."""
        for event in self.logs[by].events(after=self.states[by].last):
            self.states[by].add(event)
        self.seen[by] = self.states[by].last

    @rule(decision=decisions)
    def decide(self, decision: tuple[str, tuple[str, str], int, str, bool]) -> None:
        by, place, level, run, settles = decision
        case, category = place
        text = f"reason after {len(self.model.entries)}"
        made = draft(
            Kind.ADJUDICATE if settles else Kind.OVERRULE, by=by, case=case, category=category,
            level=level, run=run, scoring=SCORING, text=text,
        )  # fmt: skip
        if self.model.changed(place, self.seen[by]):
            with pytest.raises(Conflict) as conflict:
                self.logs[by].add(made, seen=self.seen[by])
            theirs = conflict.value.event
            assert (theirs.case, theirs.category) == place
            return
        event = self.logs[by].add(made, seen=self.seen[by])
        assert self.logs[by].add(made, seen=self.seen[by]) == event
        self.model.entries.append(
            {"what": "decide", "by": by, "place": place, "level": level, "run": run,
             "settles": settles}
        )  # fmt: skip

    @rule(by=reviewers, case=st.sampled_from(CASES))
    def note(self, by: str, case: str) -> None:
        self.logs[by].add(
            Draft(Kind.NOTE, by, case, "imputation", text=f"note {len(self.model.entries)}")
        )
        self.model.entries.append({"what": "note", "by": by, "place": (case, "")})

    @precondition(lambda self: any(e["what"] == "decide" for e in self.model.entries))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        decisions = [n for n, e in enumerate(self.model.entries, 1) if e["what"] == "decide"]
        number = data.draw(st.sampled_from(decisions))
        entry = self.model.entries[number - 1]
        case, category = entry["place"]
        taken = Draft(
            Kind.WITHDRAW, entry["by"], case, "imputation", category=category, refers=number
        )
        self.logs[entry["by"]].add(taken)
        self.model.entries.append(
            {"what": "withdraw", "by": entry["by"], "place": entry["place"], "refers": number}
        )

    @invariant()
    def the_state_is_what_the_model_predicts(self) -> None:
        self.steps += 1
        for event in self.logs["bob"].events(after=self.state.last):
            self.state.add(event)
        self.check_state(self.state)
        if self.steps % FULLY_EACH == 0:
            self.check_fully()

    def check_fully(self) -> None:
        """From the start of the log, as a program does that begins now."""
        self.check_state(fold(self.logs["ann"].events()))
        assert check_chain(self.logs["bob"]) == []

    def check_state(self, state: State) -> None:
        assert state.last == len(self.model.entries)
        for case in CASES:
            for category in CATEGORIES:
                for run in RUNS:
                    found = standing(state.decisions.get((case, category), ()), run, SCORING)
                    level = found.final.level if found.final else None
                    assert level == self.model.level((case, category), run)
                    assert found.disputed == self.model.disputed((case, category), run)


@pytest.mark.slow
def test_two_reviewers_over_500_operations_end_in_the_state_that_the_model_predicts() -> None:
    LENGTHS.clear()
    options = settings(
        max_examples=RUNS_OF_STEPS,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
    )
    run_state_machine_as_test(TwoReviewers, settings=options)  # type: ignore[no-untyped-call]
    whole = [events for steps, events in LENGTHS if steps > STEPS]
    assert max(whole) > STEPS // 4  # a run that is cut short, or only looks, proves little
