"""What people decided on the runs of a folder of results, put over its reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.collect.cases import folder_of, pseudonym, read_cases
from grader.decisions.fold import State, fold
from grader.decisions.log import open_existing
from grader.decisions.names import Names, open_names
from grader.errors import UsageError
from grader.report.decided import decided, run_digest
from grader.report.reliability import Looked
from grader.report.report_json import read_report
from grader.report.stored import report_from

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from grader.models import Exercise
    from grader.report.model import Report

__all__ = ["Decided", "decided_in", "decided_run", "looked_at"]


@dataclass(frozen=True, slots=True)
class Decided:
    """The state of a folder's log, and the key of its pseudonyms."""

    state: State
    names: Names

    def over(self, report: Report, who: str, exercise: Exercise | None) -> Report:
        """A candidate's report with the levels that count."""
        case = self.names.case(report.exercise_id, who)
        return decided(report, self.state.of(case), exercise)


def decided_in(folder: Path) -> Decided | None:
    """What was decided in a folder of results; None where nobody ever did."""
    log = open_existing(folder)
    if log is None:
        return None
    with log:
        return Decided(fold(log.events()), open_names(folder))


def looked_at(folders: Iterable[Path]) -> dict[str, list[Looked]]:
    """Exercise → its submissions in some folders with what people decided on them."""
    looked: dict[str, list[Looked]] = {}
    for folder in folders:
        found = decided_in(folder)
        if found is None:
            continue
        for case in read_cases(folder).cases:
            decisions = found.state.of(pseudonym(case, found.names))
            if any(decisions.values()):
                report = report_from(read_report(folder / case.run / "report.json"))
                looked.setdefault(case.exercise, []).append(
                    Looked(
                        report.scorecard, report.evidence, decisions, run_digest(report),
                        report.run.scoring_digest,
                    )
                )  # fmt: skip
    return looked


def decided_run(run: Path, report: Report, exercise: Exercise | None, who: str = "") -> Report:
    """One run's report with the levels that count.

    Args:
        run: its folder, in a folder of results.
        report: the machine's.
        exercise: gives the weights; None keeps the recorded ones.
        who: the candidate, where several sent the same files.

    Raises:
        UsageError: several candidates share the run, and `who` is none of them.
    """
    folder = folder_of(run)
    found = decided_in(folder)
    if found is None:
        return report
    stored = read_cases(folder)
    cases = stored.of_run(run.resolve().relative_to(folder).as_posix())
    if who:
        cases = [case for case in cases if case.who == who]
        if not cases:
            raise UsageError(f"{run} is not the run of {who!a} that counts")
    if len(cases) > 1 and any(
        found.state.history.get(pseudonym(case, found.names)) for case in cases
    ):
        names = ", ".join(case.who for case in cases[:5])
        raise UsageError(
            f"{run} is the run of {len(cases)} candidates ({names}), on whom people decided "
            "apart: name one with --candidate"
        )
    return found.over(report, cases[0].who, exercise) if len(cases) == 1 else report
