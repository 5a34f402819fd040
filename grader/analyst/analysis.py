"""Files and a contract → one evidence record for each static check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.analyst.checks import CHECKS, Check, Facts
from grader.analyst.dynamic import dynamic_code
from grader.analyst.lint import Finding, run_ruff
from grader.analyst.reach import Contract, reach
from grader.analyst.rules import RULES
from grader.analyst.source import UnreviewableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Record", "analyse", "collected", "contract_of", "failures"]

Record = dict[str, object]
_SHOWN = 6


def collected() -> list[Record]:
    """The checks as collected tests, in their fixed order."""
    return [
        {"id": c.id, "criterion": c.criterion, "title": c.title, "hint": c.hint} for c in CHECKS
    ]


def contract_of(meta: Mapping[str, object]) -> Contract:
    """The contract as the host names it."""
    methods = meta.get("methods")
    names = meta.get("names")
    return Contract(
        entry=str(meta.get("entry")),
        names=tuple(map(str, names)) if isinstance(names, list) else (),
        methods={str(k): tuple(map(str, v)) for k, v in methods.items()}
        if isinstance(methods, dict)
        else {},
    )


def analyse(files: Mapping[str, bytes], contract: Contract) -> list[Record]:
    """Review what the contract reaches.

    Returns:
        One record for each check, in order; every one of them failed where the code cannot be
        reviewed at all.
    """
    try:
        facts = _facts(files, contract)
        return [_judged(check, facts) for check in CHECKS]
    except UnreviewableError as error:
        return failures("finding", error.message, error.where)
    except (RecursionError, MemoryError):
        return failures("finding", "the code is nested too deeply to review")


def _facts(files: Mapping[str, bytes], contract: Contract) -> Facts:
    reached = reach(files, contract)
    for module in reached.modules:
        trace = dynamic_code(module)
        if trace:
            raise UnreviewableError(
                f"code made at run time cannot be reviewed: {trace[1]}", f"{module.path}:{trace[0]}"
            )
    lint: dict[str, list[Finding]] = {}
    for finding in run_ruff(reached, {rule for check in CHECKS for rule in check.rules}):
        lint.setdefault(finding.rule, []).append(finding)
    return Facts(reached, lint)


def failures(cause: str, message: str, where: str = "") -> list[Record]:
    """All checks failed for one reason."""
    return [_record(check, cause, message, where, []) for check in CHECKS]


def _judged(check: Check, facts: Facts) -> Record:
    found = check.findings(facts)
    allowed = check.allowed(facts.reached.size)
    figures: list[Record] = [
        {
            "name": name,
            "value": float(value),
            "unit": unit,
            "threshold": None,
            "volatile": False,
        }
        for name, value, unit in (
            ("findings", len(found), ""),
            ("overlooked", allowed, ""),
            ("reached code", facts.reached.size, "statements"),
        )
    ]
    if len(found) <= allowed:
        return _record(check, "none", "", "", figures)
    shown = list(dict.fromkeys(f"{f.path}:{f.line} {_said(f)}" for f in found))
    places = "; ".join(shown[:_SHOWN])
    more = f"; and {len(shown) - _SHOWN} more places" if len(shown) > _SHOWN else ""
    count = "1 finding" if len(found) == 1 else f"{len(found)} findings"
    message = f"{count}, {allowed or 'none'} overlooked: {places}{more}"
    return _record(check, "finding", message, f"{found[0].path}:{found[0].line}", figures)


def _said(finding: Finding) -> str:
    if finding.rule in RULES:
        return f"{RULES[finding.rule]} ({finding.rule})"
    return finding.text


def _record(
    check: Check, cause: str, message: str, where: str, measurements: list[Record]
) -> Record:
    return {
        "id": check.id,
        "criterion": check.criterion,
        "title": check.title,
        "hint": check.hint,
        "status": "passed" if cause == "none" else "failed",
        "cause": cause,
        "message": message[:4000],
        "where": where[:300],
        "calls": 0,
        "measurements": measurements,
        "wall_ns": 0,
    }
