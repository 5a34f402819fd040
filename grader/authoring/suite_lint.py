"""A lint for hidden tests: patterns by which a wrong answer could pass.

A name is *of the candidate* when it holds what a submission answered, directly or by way of other
names and calls. Most rules are about such names only. A line that is right nevertheless says so::

    assert reply == 3  # verify: allow equality, the kind was checked above

`grader.authoring.rules` says what each rule is for.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.authoring.fine_lint import properties_only, raw_operators, states, thresholds
from grader.authoring.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Complaint", "lint_suite"]

_ALLOW = re.compile(r"#\s*verify:\s*allow\s+([a-z-]+)\s*,\s*\S")
_SEEDED = {"seed", "default_rng", "RandomState", "Random", "PCG64", "MT19937", "SeedSequence"}
_SOURCES = {"solution"}
_READING = {"copy", "equals", "to_dict", "to_numpy", "to_list", "tolist", "items", "get", "keys"}
_SAFE = {  # what they give is the judge's: a length, a checked kind, a comparison's own result
    "len", "type", "isinstance", "assert_value", "assert_frame", "assert_series", "assert_array",
    "range", "enumerate", "repr", "measure",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Complaint:
    """One line of a suite that breaks a rule."""

    file: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {RULES[self.rule].what}"


def lint_suite(folder: Path) -> list[Complaint]:
    """Read the Python files of a suite, labelled solutions excepted.

    Args:
        folder: ``hidden_tests/<exercise>``.

    Returns:
        Complaints by file and line; empty when the suite is clean.

    Raises:
        SyntaxError: a file is no Python.
    """
    found: list[Complaint] = []
    trees: list[tuple[str, ast.Module]] = []
    allowed: set[tuple[str, int, str]] = set()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        if name.startswith("solutions/"):
            continue
        source = path.read_text(encoding="utf-8")
        allowed |= {
            (name, number, match[1])
            for number, line in enumerate(source.splitlines(), 1)
            for match in _ALLOW.finditer(line)
        }
        tree = ast.parse(source, name)
        trees.append((name, tree))
        for line, rule in {*_complaints(tree), *thresholds(tree, source)}:
            found.append(Complaint(name, line, rule))
    found += [Complaint(*place) for place in properties_only(trees)]
    kept = [item for item in found if (item.file, item.line, item.rule) not in allowed]
    return sorted(kept, key=lambda item: (item.file, item.line, item.rule))


def _complaints(tree: ast.Module) -> Iterator[tuple[int, str]]:
    yield from states(tree)
    yield from raw_operators(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.ExceptHandler) and _is_catch_all(node):
            yield node.lineno, "catch-all"
        elif isinstance(node, ast.FunctionDef):
            yield from _Function(node).complaints()


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Targets and values of an assignment, of several names at once too."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _call(node: ast.Call) -> Iterator[tuple[int, str]]:
    name, dotted = _name(node.func), _dotted(node.func)
    if dotted == "pytest.raises":
        yield node.lineno, "pytest-raises"
    if name == "raises" and node.args and _name(node.args[0]) in {"Exception", "BaseException"}:
        yield node.lineno, "broad-raises"
    if dotted in {"pytest.skip", "pytest.xfail", "pytest.importorskip"} or (
        dotted.startswith("pytest.mark.") and name in {"skip", "skipif", "xfail"}
    ):
        yield node.lineno, "skip"
    if name in _SEEDED and node.args and _is_small(node.args[0]):
        yield node.lineno, "small-seed"
    for keyword in node.keywords:
        if keyword.arg in {"random_state", "seed"} and _is_small(keyword.value):
            yield node.lineno, "small-seed"


def _is_small(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value < 1 << 64


def _is_catch_all(node: ast.ExceptHandler) -> bool:
    return node.type is None or _name(node.type) == "BaseException"


class _Function:
    """One function: which names hold answers, and what is done with them."""

    def __init__(self, node: ast.FunctionDef) -> None:
        self._node = node
        self._held = {"reply", "replies", "answer", "answers"} & {
            argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)
        }
        for _ in range(3):  # a name may be used above the line that makes another one held
            for part in ast.walk(node):
                self._learn(part)

    def _learn(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
            targets, value = [node.target], node.value
        elif isinstance(node, ast.For | ast.comprehension):
            targets, value = [node.target], node.iter
        else:
            return
        if self.of_candidate(value):
            for target in targets:
                self._held |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}

    def of_candidate(self, node: ast.expr) -> bool:
        """Whether an expression holds what a submission answered."""
        if isinstance(node, ast.Call):
            if _name(node.func) in _SAFE:
                return False
            parts = [node.func, *node.args, *(keyword.value for keyword in node.keywords)]
            return any(self._is_source(part) or self.of_candidate(part) for part in parts)
        if isinstance(node, ast.Name):
            return node.id in self._held
        if isinstance(node, ast.Compare):
            return False
        if isinstance(node, ast.Attribute) and self._is_source(node.value):
            return node.attr not in {"last", "calls", "failure", "asked"}
        return any(
            self.of_candidate(child)
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.expr)
        )

    @staticmethod
    def _is_source(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in _SOURCES

    def complaints(self) -> Iterator[tuple[int, str]]:
        """Line and rule of all that is wrong."""
        yield from self._looks()
        for node in ast.walk(self._node):
            if isinstance(node, ast.Call):
                yield from self._calls(node)
            elif isinstance(node, ast.Assert):
                yield from self._asserts(node)
            elif isinstance(node, ast.If) and any(isinstance(s, ast.Raise) for s in node.body):
                yield from self._negated(node.test)

    def _looks(self) -> Iterator[tuple[int, str]]:
        """Find arguments that are read in the candidate's process, and of which no later call asks.

        Such an argument was made by ``solution.make``, given to a call, and then read by an
        attribute of its own. What a later call answers for it cannot be arranged by a process that
        shows a copy.
        """
        made = {
            target.id
            for node in ast.walk(self._node)
            if isinstance(node, ast.Assign)
            for target, value in _pairs(node)
            if isinstance(value, ast.Call) and _dotted(value.func) == "solution.make"
            if isinstance(target, ast.Name)
        }
        calls = [node for node in ast.walk(self._node) if isinstance(node, ast.Call)]
        given: dict[str, list[int]] = {}
        for call in calls:
            for part in [*call.args, *(keyword.value for keyword in call.keywords)]:
                if isinstance(part, ast.Name) and part.id in made:
                    given.setdefault(part.id, []).append(call.lineno)
        for call in calls:
            if not isinstance(call.func, ast.Attribute) or call.func.attr not in _READING:
                continue
            lines = given.get(_name(call.func.value), [])
            if lines and min(lines) < call.lineno and max(lines) <= call.lineno:
                yield call.lineno, "look"

    def _calls(self, node: ast.Call) -> Iterator[tuple[int, str]]:
        name = _name(node.func)
        held = any(self.of_candidate(argument) for argument in node.args)
        if name == "assume" and any(map(self._mentions, node.args)):
            yield node.lineno, "assume"
        strict = any(keyword.arg == "strict" for keyword in node.keywords)
        if name == "zip" and isinstance(node.func, ast.Name) and held and not strict:
            yield node.lineno, "zip"

    def _asserts(self, node: ast.Assert) -> Iterator[tuple[int, str]]:
        for part in ast.walk(node.test):
            if isinstance(part, ast.Compare):
                sides = [part.left, *part.comparators]
                for operator, right in zip(part.ops, part.comparators, strict=True):
                    if isinstance(operator, ast.Eq | ast.NotEq) and any(
                        map(self.of_candidate, sides)
                    ):
                        yield part.lineno, "equality"
                    if isinstance(operator, ast.In | ast.NotIn) and self.of_candidate(right):
                        yield part.lineno, "containment"
            elif (
                isinstance(part, ast.Call)
                and _name(part.func) in {"all", "any"}
                and any(map(self._mentions, part.args))
            ):
                yield part.lineno, "all-any"
        if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not):
            yield from self._negated(node.test.operand)

    def _mentions(self, node: ast.expr) -> bool:
        """Whether an answer is anywhere in it, compared or iterated over."""
        return any(
            self.of_candidate(part)
            for part in ast.walk(node)
            if isinstance(part, ast.Name | ast.Call)
        )

    def _negated(self, test: ast.expr) -> Iterator[tuple[int, str]]:
        """Find ``a > b`` where it leads to a failure: NaN is neither larger nor smaller."""
        parts = test.values if isinstance(test, ast.BoolOp) else [test]
        for part in parts:
            if isinstance(part, ast.Compare) and any(
                isinstance(operator, ast.Gt | ast.GtE | ast.Lt | ast.LtE) for operator in part.ops
            ):
                sides = [part.left, *part.comparators]
                if any(self.of_candidate(side) for side in sides):
                    yield part.lineno, "negated-comparison"
