"""Tests of GitHub Classroom as the skeleton of an exercise.

``.github/classroom/autograding.json`` and the later ``classroom.yml`` describe tests as shell
commands run beside the student's code. Here the candidate's code answers calls instead, so an
input-output test becomes a call of ``main(text)``; what ran a command can only be listed, for its
author to translate. The tests were public: they become the starter's sample tests, and the start of
a hidden suite.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["LegacyTest", "read_legacy", "skeleton"]

_BYTES = 1 << 20
_ACTION = re.compile(
    r"(?:classroom-resources|education)/autograding-(command|io|python)-grader@\S+"
)
_COMPARISONS = {"included": "included", "contains": "included", "exact": "exact", "regex": "regex"}


@dataclass(frozen=True, slots=True)
class LegacyTest:
    """One test.

    Attributes:
        kind: ``io`` compares what a command prints; ``command`` and ``python`` look at its exit
            code.
        comparison: of an ``io`` test: ``exact``, ``included`` or ``regex``.
    """

    name: str
    kind: str
    command: str
    setup: str = ""
    input: str = ""
    output: str = ""
    comparison: str = "exact"
    points: float = 0.0


def read_legacy(path: Path) -> tuple[LegacyTest, ...]:
    """Read ``autograding.json`` or a workflow with the autograding actions.

    Raises:
        UsageError: it is neither, or holds no test.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > _BYTES:
            raise UsageError(f"{path} is too large for a list of tests")
        text = raw.decode("utf-8-sig")
        is_json = path.suffix == ".json"
        document = json.loads(text) if is_json else yaml.safe_load(text)
        found = tuple(_from_json(document) if is_json else _from_workflow(document))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not found:
        raise UsageError(
            f"{path} holds no test; give .github/classroom/autograding.json or a workflow that "
            "uses classroom-resources/autograding-*-grader"
        )
    return found


def _from_json(document: Any) -> Iterator[LegacyTest]:  # noqa: ANN401 - JSON
    tests = document.get("tests") if isinstance(document, dict) else None
    for item in tests if isinstance(tests, list) else []:
        if not isinstance(item, dict):
            continue
        expected = _text(item.get("output"))
        yield LegacyTest(
            name=_text(item.get("name")) or "unnamed",
            kind="io" if expected or item.get("input") else "command",
            command=_text(item.get("run")),
            setup=_text(item.get("setup")),
            input=_text(item.get("input")),
            output=expected,
            comparison=_COMPARISONS.get(_text(item.get("comparison")), "exact"),
            points=_number(item.get("points")),
        )


def _from_workflow(document: Any) -> Iterator[LegacyTest]:  # noqa: ANN401 - YAML
    jobs = document.get("jobs") if isinstance(document, dict) else None
    for job in jobs.values() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for step in steps if isinstance(steps, list) else ():
            match = _ACTION.fullmatch(_text(step.get("uses"))) if isinstance(step, dict) else None
            given = step.get("with") if match else None
            if match is None or not isinstance(given, dict):
                continue
            yield LegacyTest(
                name=_text(given.get("test-name")) or _text(step.get("name")) or "unnamed",
                kind=match[1],
                command=_text(given.get("command")) or "pytest",
                setup=_text(given.get("setup-command")),
                input=_text(given.get("input")),
                output=_text(given.get("expected-output")),
                comparison=_COMPARISONS.get(_text(given.get("comparison-method")), "exact"),
                points=_number(given.get("max-score")),
            )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def skeleton(exercise_id: str, title: str, tests: Sequence[LegacyTest]) -> dict[str, str]:
    """Files of a new exercise; path below the checkout → text.

    Args:
        exercise_id: its id.
        title: of the exercise.
        tests: what `read_legacy` gave.
    """
    public, hidden = f"exercises/{exercise_id}", f"hidden_tests/{exercise_id}"
    sheet = _SHEET.format(title=title) + "".join(_rows(tests))
    return {
        f"{public}/exercise.toml": _EXERCISE.format(id=exercise_id, title=json.dumps(title)),
        f"{public}/README.md": sheet,
        f"{public}/starter/README.md": sheet,
        f"{public}/starter/solution.py": _SOLUTION,
        f"{public}/starter/assessment.toml": f'exercise = "{exercise_id}"\nversion = "0.1"\n',
        f"{public}/starter/pyproject.toml": _PYPROJECT,
        f"{public}/starter/tests/test_sample.py": _sample(tests),
        f"{hidden}/rubric.toml": _RUBRIC,
        f"{hidden}/test_imported.py": _hidden(tests),
        f"{hidden}/pytest.ini": _PYTEST,
        f"{hidden}/IMPORTED.md": _listed(tests),
    }


def _io(tests: Sequence[LegacyTest]) -> list[tuple[str, LegacyTest]]:
    found: list[tuple[str, LegacyTest]] = []
    for test in tests:
        if test.kind == "io":
            slug = re.sub(r"[^a-z0-9]+", "_", test.name.lower()).strip("_")[:40] or "unnamed"
            found.append((f"test_case_{len(found) + 1:02}_{slug}", test))
    return found


def _comparison(test: LegacyTest) -> str:
    wanted = _literal(test.output.strip())
    if test.comparison == "regex":
        return f"assert re.search({wanted}, shown)"
    return f"assert {f'shown == {wanted}' if test.comparison == 'exact' else f'{wanted} in shown'}"


def _checked(test: LegacyTest) -> str:
    """The same for an answer of a candidate's: by what its kind allows, not by its own ``==``."""
    if test.comparison == "exact":
        return f"assert_value(shown, {_literal(test.output.strip())})"
    allowed = "  # verify: allow containment, text_of gives a text"
    return _comparison(test) + (allowed if test.comparison == "included" else "")


def _line(name: str) -> str:
    """The line of the task sheet that a test is of."""
    return name.removeprefix("test_").replace("_", "-")[:40].rstrip("-")


def _rows(tests: Sequence[LegacyTest]) -> Iterator[str]:
    verbs = {"exact": "is", "included": "holds", "regex": "matches"}
    for name, test in _io(tests):
        row = f"`{_literal(test.input)}` typed: the answer {verbs[test.comparison]} "
        row += f"`{_literal(test.output.strip())}`"
        yield f"| `{_line(name)}` | {row.replace('|', chr(92) + '|')} |\n"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


def _sample(tests: Sequence[LegacyTest]) -> str:
    lines = ['"""Examples of what is asked for."""', ""]
    io = _io(tests)
    if any(test.comparison == "regex" for _, test in io):
        lines += ["import re", ""]
    lines += [
        "import solution",
        "",
        "",
        "def test_main_is_there():",
        "    assert callable(solution.main)",
    ]
    for name, test in io:
        lines += [
            "",
            "",
            f"def {name}():",
            f"    shown = solution.main({_literal(test.input)}).strip()",
        ]
        lines.append(f"    {_comparison(test)}")
    return "\n".join([*lines, ""])


def _hidden(tests: Sequence[LegacyTest]) -> str:
    lines = [_HIDDEN]
    io = _io(tests)
    if any(test.comparison == "regex" for _, test in io):
        lines[0] = lines[0].replace("\nimport pytest", "\nimport re\n\nimport pytest")
    for name, test in io:
        title = re.sub(r'["\\\n\r]+', " ", test.name).strip() or "unnamed"
        lines += [
            "", "", f'@pytest.mark.criterion("core", sheet="{_line(name)}", hint=HINT)',
            f"def {name}(solution):",
            f'    """{title}."""', f"    shown = text_of(solution.main({_literal(test.input)}))",
            f"    {_checked(test)}",
        ]  # fmt: skip
    return "\n".join([*lines, ""])


def _listed(tests: Sequence[LegacyTest]) -> str:
    lines = [_IMPORTED, "| test | kind | points | command | imported |", "|---|---|---|---|---|"]
    for test in tests:
        cells = (test.name, test.kind, f"{test.points:g}", f"{test.setup} {test.command}".strip())
        shown = " | ".join(re.sub(r"[|\n\r`<>]+", " ", cell) for cell in cells)
        lines.append(f"| {shown} | {'yes' if test.kind == 'io' else 'no'} |")
    return "\n".join([*lines, ""])


_EXERCISE = """\
# Imported from GitHub Classroom. Look through every line before you use it.

id = "{id}"
version = "0.1"
title = {title}
minutes = 60
seniority = "junior"
entry = "solution.py"
preload = []

[[functions]]
name = "main"
parameters = ["text"]

[limits]
memory = "1 GiB"
cpus = 1.0
pids = 128
wall_seconds = 120
call_seconds = 10
load_seconds = 15
output = "64 KiB"
reply = "64 MiB"
scratch = "64 MiB"

[expectations.junior]
meets = {{ overall = 1.8, code_correctness = "okay" }}
exceeds = {{ overall = 2.8, code_correctness = "strong" }}

[expectations.mid]
meets = {{ overall = 2.5, code_correctness = "strong" }}
exceeds = {{ overall = 3.4, code_correctness = "strong" }}

[expectations.senior]
meets = {{ overall = 3.0, code_correctness = "strong" }}
exceeds = {{ overall = 3.6, code_correctness = "excellent" }}

[expectations.principal]
meets = {{ overall = 3.4, code_correctness = "strong" }}
exceeds = {{ overall = 3.8, code_correctness = "excellent" }}
"""
_SHEET = """\
# {title}

Write `main(text)` in `solution.py`: it takes what a user would type and returns what the program
prints, both as text. Describe the task here.

| line | what holds |
|---|---|
| `main` | `main` takes a text and returns a text. |
"""
_SOLUTION = '''\
"""The task is in README.md."""


def main(text: str) -> str:
    """Return what the program prints when a user types `text`."""
    raise NotImplementedError
'''
_PYPROJECT = '[tool.pytest.ini_options]\npythonpath = ["."]\ntestpaths = ["tests"]\n'
_PYTEST = "[pytest]\naddopts = --strict-markers --assert=plain -p no:cacheprovider\n"
_RUBRIC = """\
# Candidates read these titles in their feedback: they must not reveal what a test does.
[criteria]
runs = "Loads, and main can be called"
core = "Answers as the task sheet asks"

[[category]]
id = "code_correctness"
title = "Code correctness"
weight = 1.0
levels.excellent = { runs = 1.0, core = 1.0 }
levels.strong = { runs = 1.0, core = 0.9 }
levels.okay = { runs = 1.0, core = 0.3 }
"""
_IMPORTED = """\
# What was imported

Input-output tests are in `test_imported.py` as calls of `main(text)`. They were public, so they are
the starter's sample tests too: write hidden ones beside them. Tests that ran a command are listed
for you to translate; the rubric knows no points, only shares of tests.
"""
_HIDDEN = '''\
"""Imported from GitHub Classroom: these were public. Write hidden tests beside them."""

import pytest

from grader.judge.compare import assert_kind, assert_value

HINT = "Compare what main returns with the task sheet, also spaces and line ends."


def text_of(reply):
    """What main returned, without spaces around it; anything but a text fails."""
    assert_kind(reply, str)
    return reply.strip()


@pytest.mark.criterion("runs", sheet="main", hint="main must take a text and return one.")
def test_main_answers(solution):
    """Main takes a text and returns a text."""
    text_of(solution.main(""))'''
