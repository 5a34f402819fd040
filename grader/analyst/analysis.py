"""Files and a contract → one evidence record for each static check."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grader.analyst._scopes import exports_of
from grader.analyst.checks import CHECKS, Check, Facts
from grader.analyst.dynamic import dynamic_code
from grader.analyst.hygiene import HYGIENE
from grader.analyst.lint import Finding, run_ruff
from grader.analyst.notebook import NOTEBOOK_CRITERION, module_of
from grader.analyst.reach import Contract, reach
from grader.analyst.rules import RULES
from grader.analyst.source import UnreviewableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.analyst.hygiene import HygieneCheck
    from grader.analyst.notebook import Notebook
    from grader.analyst.reach import Reached

__all__ = ["Record", "analyse", "collected", "contract_of", "failures", "files_read"]

Record = dict[str, object]
_SHOWN = 6


def collected(*, notebook: bool = False) -> list[Record]:
    """The checks as collected tests, in their fixed order; those of notebooks come last."""
    return _ALL if notebook else _ALL[: len(CHECKS)]


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
        service=meta.get("service") is True,
    )


def analyse(
    files: Mapping[str, bytes], contract: Contract, notebook: Notebook | None = None
) -> list[Record]:
    """Review what the contract reaches, and how a notebook is kept.

    Returns:
        One record for each check, in order; every one that looks at code failed where the code
        cannot be reviewed at all.
    """
    if notebook is None:
        return _review(files, contract)
    data, cells = module_of(notebook)
    contract = replace(contract, entry=notebook.path, cells=cells)
    records = _review({**files, notebook.path: data}, contract)
    return [*records, *(_kept(check, notebook) for check in HYGIENE)]


def files_read(
    files: Mapping[str, bytes], contract: Contract, notebook: Notebook | None = None
) -> list[str] | None:
    """The files that a review looks at; None where there can be no review."""
    if notebook is not None:
        data, cells = module_of(notebook)
        files = {**files, notebook.path: data}
        contract = replace(contract, entry=notebook.path, cells=cells)
    try:
        return [module.path for module in reach(files, contract).modules]
    except (UnreviewableError, RecursionError, MemoryError):
        return None


def _review(files: Mapping[str, bytes], contract: Contract) -> list[Record]:
    try:
        facts = _facts(files, contract)
        return [_judged(check, facts) for check in CHECKS]
    except UnreviewableError as error:
        return failures("finding", error.message, error.where)
    except (RecursionError, MemoryError):
        return failures("finding", "the code is nested too deeply to review")


def _facts(files: Mapping[str, bytes], contract: Contract) -> Facts:
    reached = reach(files, contract)
    exports = exports_of(reached.modules)
    unread = _unread(files, reached)
    for module in reached.modules:
        trace = dynamic_code(module, exports, unread.__contains__)
        if trace:
            raise UnreviewableError(
                f"code made at run time cannot be reviewed: {trace[1]}", module.place(trace[0])
            )
    lint: dict[str, list[Finding]] = {}
    for finding in run_ruff(reached, {rule for check in CHECKS for rule in check.rules}):
        lint.setdefault(finding.rule, []).append(finding)
    return Facts(reached, lint)


def _unread(files: Mapping[str, bytes], reached: Reached) -> set[str]:
    """Dotted names of the files that nothing imports; what is empty hides nothing."""
    read = {module.path for module in reached.modules}
    paths = [
        path
        for path, data in files.items()
        if path.endswith(".py") and path not in read and data.strip()
    ]
    parts = [path.removesuffix(".py").removesuffix("/__init__").split("/") for path in paths]
    return {".".join(names[first:]) for names in parts for first in range(len(names))}


def failures(cause: str, message: str, where: str = "", *, notebook: bool = False) -> list[Record]:
    """All checks failed for one reason."""
    return [_record(naming, cause, message, where, []) for naming in collected(notebook=notebook)]


def _kept(check: HygieneCheck, notebook: Notebook) -> Record:
    try:
        found = list(check.find(notebook))
    except (RecursionError, MemoryError):
        found = [(0, 0, "the code is nested too deeply to review")]
    naming = _ALL[len(CHECKS) + HYGIENE.index(check)]
    if not found:
        return _record(naming, "none", "", "", [])
    shown = [f"{_cell(cell, line)}: {text}" if cell else text for cell, line, text in found]
    return _record(naming, "finding", _listed(shown), _cell(*found[0][:2]), [])


def _cell(number: int, line: int) -> str:
    return (f"cell {number}, line {line}" if line else f"cell {number}") if number else ""


def _listed(shown: list[str]) -> str:
    more = f"; and {len(shown) - _SHOWN} more places" if len(shown) > _SHOWN else ""
    return "; ".join(shown[:_SHOWN]) + more


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
    naming = _ALL[CHECKS.index(check)]
    if len(found) <= allowed:
        return _record(naming, "none", "", "", figures)
    modules = {module.path: module for module in facts.reached.modules}
    places = [modules[f.path].place(f.line) for f in found]
    said = (f"{place} {_said(f)}" for place, f in zip(places, found, strict=True))
    count = "1 finding" if len(found) == 1 else f"{len(found)} findings"
    message = f"{count}, {allowed or 'none'} overlooked: {_listed(list(dict.fromkeys(said)))}"
    return _record(naming, "finding", message, places[0], figures)


def _said(finding: Finding) -> str:
    if finding.rule in RULES:
        return f"{RULES[finding.rule]} ({finding.rule})"
    return finding.text


def _record(
    naming: Record, cause: str, message: str, where: str, measurements: list[Record]
) -> Record:
    return {
        **naming,
        "status": "passed" if cause == "none" else "failed",
        "cause": cause,
        "message": message[:4000],
        "where": where[:300],
        "calls": 0,
        "measurements": measurements,
        "wall_ns": 0,
    }


def _naming(name: str, criterion: str, check: Check | HygieneCheck) -> Record:
    return {"id": name, "criterion": criterion, "title": check.title, "hint": check.hint}


_ALL = [
    *(_naming(check.id, check.criterion, check) for check in CHECKS),
    *(
        _naming(f"static::{NOTEBOOK_CRITERION}::{check.name}", NOTEBOOK_CRITERION, check)
        for check in HYGIENE
    ),
]
