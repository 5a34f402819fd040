"""What ``exercise.toml`` says about a web application, and whom the judge stands in for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from grader.contracts import AppContract, StandIn

if TYPE_CHECKING:
    from pathlib import Path

    from grader.exercise.toml import Table
    from grader.models import Exercise, ExpectedFunction

__all__ = ["read_app", "read_stand_ins", "service_meta"]

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,79}"


def read_app(top: Table, functions: tuple[ExpectedFunction, ...]) -> AppContract | None:
    """Read ``[app]``; None where there is none.

    Raises:
        ExerciseError: neither or both of its keys are there, or ``[[functions]]`` lacks the name.
    """
    if not top.has("app"):
        return None
    table = top.table("app")
    keys = [key for key in ("factory", "name") if table.has(key)]
    if len(keys) != 1:
        table.fail("", 'needs either factory = "create_app" or name = "app"')
    named = table.text(keys[0], _NAME, "a Python name")
    table.finish()
    if named not in {function.name for function in functions}:
        table.fail(keys[0], f"names {named!r}; list it under [[functions]] as well")
    return AppContract(**{keys[0]: named})


def read_stand_ins(top: Table, starter: Path) -> tuple[StandIn, ...]:
    """Read every ``[[stand_in]]``.

    Args:
        top: the whole file.
        starter: the folder of the starter, which holds the modules.

    Raises:
        ExerciseError: a module is missing, is no Python, or lacks one of the functions.
    """
    if not top.has("stand_in"):
        return ()
    found: list[StandIn] = []
    for table in top.tables("stand_in"):
        module = table.text("module", _NAME, "the name of a module of the starter's")
        names = table.texts("functions", _NAME, "Python names")
        table.finish()
        path = starter / f"{module}.py"
        try:
            source = path.read_text("utf-8")
            tree = ast.parse(source)
        except (OSError, ValueError, SyntaxError) as error:
            table.fail("module", f"{path} cannot be read ({error}); add it, or correct the name")
        defined = {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        if not names or (missing := [name for name in names if name not in defined]):
            what = f"{path} defines no {missing[0]}" if names else "is empty"
            table.fail("functions", f"{what}; name functions of the module")
        if module in {item.module for item in found}:
            table.fail("module", f"{module!r} is listed twice; remove one")
        found.append(StandIn(module, source, names))
    return tuple(found)


def service_meta(exercise: Exercise) -> dict[str, object]:
    """The part of a submission's header that tells the candidate's side about both."""
    app = exercise.app
    return {
        "app": {"factory": app.factory, "name": app.name} if app else None,
        "stand_ins": [
            {"module": item.module, "source": item.source, "functions": list(item.functions)}
            for item in exercise.stand_ins
        ],
    }
