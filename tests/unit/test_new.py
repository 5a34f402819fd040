"""New exercises: they hold their own labels, every kind, and nothing is half written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.authoring.author_mode import grade_all, needs_sandbox
from grader.authoring.labelled import seeds
from grader.authoring.labels import load_cases
from grader.authoring.mutation.prove import prove
from grader.authoring.new import KINDS
from grader.authoring.severity import severity_problems
from grader.authoring.sheet_lint import lint_sheet
from grader.authoring.suite_lint import lint_suite
from grader.authoring.verify import doubts, gate
from grader.commands import new
from grader.errors import UsageError
from grader.exercise.contract import load_exercise

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make an exercise of a kind in a checkout of its own."""
    root = tmp_path_factory.mktemp("team")
    shutil.copytree(ROOT / "requirements", root / "requirements")

    def make(kind: str) -> Path:
        if not (root / "exercises" / f"a_{kind}").exists():
            asked = [f"a_{kind}", "--kind", kind, "--root", str(root), "--minutes", "45"]
            assert new.run([*asked, "--title", 'Rare "classes" count', "--seniority", "mid"]) == 0
        return root

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_exercise_is_in_order(made: Callable[[str], Path], kind: str) -> None:
    root = made(kind)
    exercise = load_exercise(f"a_{kind}", root=root)
    assert (exercise.title, exercise.minutes) == ('Rare "classes" count', 45)
    assert lint_suite(exercise.hidden_dir) == []
    assert lint_sheet(exercise.hidden_dir, exercise.sheet) == []
    assert gate(load_cases(exercise.id, root)) == ""


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_labelled_solution_gets_what_its_label_says(
    made: Callable[[str], Path], kind: str
) -> None:
    root = made(kind)
    exercise = load_exercise(f"a_{kind}", root=root)
    cases = [case for case in load_cases(exercise.id, root) if not needs_sandbox(case)]
    runs = [(case, seeds(1)[0]) for case in cases]
    wrong = {
        case.name: found
        for case, _, outcome in grade_all(runs, root=root, jobs=1)
        if (found := doubts(case, outcome, exercise.rubric))
    }
    assert (wrong, len(cases)) == ({}, 15)


@pytest.mark.parametrize("kind", KINDS)
def test_its_defects_are_as_severe_as_they_say(made: Callable[[str], Path], kind: str) -> None:
    cases = {case.name: case for case in load_cases(f"a_{kind}", made(kind))}
    problems = {
        name: severity_problems(case, cases["reference"])
        for name, case in cases.items()
        if name.startswith("wrong_")
    }
    assert problems == {
        "wrong_counts_predicted": [],
        "wrong_no_items_is_zero": [],
        "wrong_plain_accuracy": [],
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["function", "class", "script"])
def test_its_tests_find_every_mutant(made: Callable[[str], Path], kind: str) -> None:
    root = made(kind)
    document = prove(
        load_exercise(f"a_{kind}", root=root),
        root,
        seed=seeds(1)[0],
        jobs=1,
        every_test=False,
        say=lambda _: None,
    )
    assert document["findings"] == []
    assert {solution["rate"] for solution in document["solutions"]} == {1.0}


@pytest.mark.parametrize("kind", KINDS)
def test_no_placeholder_is_left(made: Callable[[str], Path], kind: str) -> None:
    root = made(kind)
    files = [
        p for top in ("exercises", "hidden_tests") for p in (root / top / f"a_{kind}").rglob("*")
    ]
    assert [
        p
        for p in files
        if p.is_file() and b"@@" in p.read_bytes().replace(b"@@ -", b"") and p.suffix != ".patch"
    ] == []


def test_an_id_that_exists_is_refused(made: Callable[[str], Path]) -> None:
    root = made("function")
    with pytest.raises(UsageError, match="exists; choose another id, or remove it"):
        new.run(["a_function", "--root", str(root)])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["Bad Name"], "is no id: use a short lower-case name"),
        (["x", "--title", "a\nb"], "--title takes one line of at most 100 characters"),
    ],
)
def test_what_cannot_be_made_is_said(
    made: Callable[[str], Path], argv: list[str], message: str
) -> None:
    root = made("function")
    with pytest.raises(UsageError, match=message):
        new.run([*argv, "--root", str(root)])
    assert not (root / "exercises" / "x").exists()
