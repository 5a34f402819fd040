"""Mutants in forks of one process: what kills them, what is noted, what cannot be mutated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

from grader.authoring.mutation.notes import read_notes
from grader.authoring.mutation.page import lines_of, page_of
from grader.authoring.mutation.prove import prove
from grader.errors import ExerciseError, UsageError
from grader.exercise.contract import load_exercise

pytestmark = pytest.mark.slow

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
CONTRACT = """
id = "double"
version = "1.0"
title = "Double"
minutes = 10
seniority = "mid"
entry = "solution.py"
[[functions]]
name = "double"
parameters = ["x"]
[limits]
memory = "1 GiB"
cpus = 1.0
pids = 128
wall_seconds = 60
call_seconds = 10
load_seconds = 10
output = "64 KiB"
reply = "1 MiB"
scratch = "1 MiB"
"""
EXPECTATION = """
[expectations.{}]
meets = {{ overall = 2.0, correct = "okay" }}
exceeds = {{ overall = 3.0, correct = "strong" }}
"""
SENIORITIES = ("junior", "mid", "senior", "principal")
SHEET = "| line | what holds |\n|---|---|\n| `twice` | Twice. |\n| `refused` | No text. |\n"
RUBRIC = """
[criteria]
core = "Doubles"
edge = "Refuses"
[[category]]
id = "correct"
title = "Correct"
weight = 1.0
levels.excellent = { core = 1.0, edge = 1.0 }
levels.strong = { core = 1.0 }
levels.okay = { core = 0.3 }
"""
SUITE = '''
import pytest
from grader.judge.compare import assert_value
from grader.judge.errors import raises

@pytest.mark.criterion("core", sheet="twice", hint="x")
def test_double(solution):
    """It doubles."""
    assert_value(solution.double(2), 4)

@pytest.mark.criterion("edge", sheet="refused", hint="x")
def test_text(solution):
    """It refuses text."""
    with raises(ValueError):
        solution.double("2")
'''
REFERENCE = """
def double(x):
    if isinstance(x, str):
        raise ValueError("no text")
    total = 0
    while total < 2 * x:
        total += 1
    return total
"""
LABEL = 'about = "x"\nfailing = []\nband = "exceeds"\nlevels = { correct = "excellent" }\n'
SEED = "0" * 32


def made(root: Path, reference: str = REFERENCE, suite: str = SUITE, notes: str = "") -> Path:
    """A checkout with the exercise ``double``."""
    public, hidden = root / "exercises/double", root / "hidden_tests/double"
    solution = hidden / "solutions/reference"
    shutil.copytree(REQUIREMENTS, root / "requirements")
    for folder in (public / "starter", solution):
        folder.mkdir(parents=True)
    contract = CONTRACT + "".join(map(EXPECTATION.format, SENIORITIES))
    (public / "exercise.toml").write_text(contract)
    (public / "README.md").write_text(SHEET)
    (public / "starter/solution.py").write_text("def double(x):\n    raise NotImplementedError\n")
    (hidden / "rubric.toml").write_text(RUBRIC)
    (hidden / "test_it.py").write_text(suite)
    (solution / "solution.py").write_text(reference)
    (solution / "expected.toml").write_text(LABEL)
    if notes:
        (hidden / "mutants.toml").write_text(notes)
    return root


@pytest.fixture(autouse=True, scope="module")
def _short_limit() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grader.authoring.mutation.run.LEAST_SECONDS", 2.0)
        yield


def run(root: Path, *, every: bool = False) -> dict[str, Any]:
    exercise = load_exercise("double", root=root)
    return prove(exercise, root, seed=SEED, jobs=1, every_test=every, say=lambda _: None)


def mutant(document: dict[str, Any], diff: str) -> dict[str, Any]:
    """The mutant of the reference that has this line."""
    (found,) = (m for m in document["solutions"][0]["mutants"] if f"\n+{diff}\n" in m["diff"])
    return dict(found)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(made(tmp_path_factory.mktemp("double")))


def test_a_mutant_in_a_function_that_no_test_calls_is_unreached(tmp_path: Path) -> None:
    reference = REFERENCE.replace(
        "    total = 0", "    if isinstance(x, list):\n        return _each(x)\n    total = 0"
    )
    reference += "\n\ndef _each(values):\n    return [2 * value for value in values]\n"
    found = mutant(run(made(tmp_path, reference)), "    return [3 * value for value in values]")
    assert (found["state"], found["killed_by"], found["broken"]) == ("unreached", [], "")


def test_a_mutant_that_a_test_tells_is_killed_by_it(document: dict[str, Any]) -> None:
    found = mutant(document, "    while total < 3 * x:")
    assert (found["state"], found["killed_by"]) == ("killed", ["test_it.py::test_double"])


def test_tests_that_do_not_reach_the_change_are_not_run(document: dict[str, Any]) -> None:
    assert [test["id"] for test in document["tests"]] == [
        "test_it.py::test_double",
        "test_it.py::test_text",
    ]
    assert mutant(document, "    while total < 3 * x:")["cells"] == "x."
    assert mutant(document, "    if False:")["cells"] == "ox"


def test_a_mutant_that_no_test_tells_survives(document: dict[str, Any]) -> None:
    suite_is_blind = mutant(document, "    total = -1")
    assert (suite_is_blind["state"], suite_is_blind["cells"]) == ("survived", "o.")


def test_a_mutant_that_hangs_is_killed_by_the_time_limit(document: dict[str, Any]) -> None:
    mutants = document["solutions"][0]["mutants"]
    found = next(m for m in mutants if m["diff"].endswith("pass\n     return total\n"))
    assert (found["state"], found["killed_by"]) == ("timed-out", ["test_it.py::test_double"])


def test_the_rate_counts_killed_of_all(document: dict[str, Any]) -> None:
    (solution,) = document["solutions"]
    counts = solution["counts"]
    killed = counts["killed"] + counts["timed-out"]
    assert solution["rate"] == pytest.approx(killed / counts["mutants"], abs=1e-6)
    assert killed + counts["survived"] == counts["mutants"]


def test_below_the_bar_is_a_finding(document: dict[str, Any]) -> None:
    (finding,) = document["findings"]
    assert finding.startswith("reference: hidden tests find ")


def test_the_page_and_the_terminal_show_the_survivors(document: dict[str, Any]) -> None:
    lines = "\n".join(lines_of(document))
    page = page_of(document)
    for shown in (lines, page):
        assert "+    total = -1" in shown
    assert "time limit: reference" in lines


def test_the_same_run_gives_the_same_document(document: dict[str, Any], tmp_path: Path) -> None:
    assert json.dumps(run(made(tmp_path))) == json.dumps(document)


def test_every_test_tells_what_each_finds_alone(tmp_path: Path) -> None:
    test = SUITE[SUITE.index("@pytest") : SUITE.rindex("@pytest")]
    suite = SUITE + test.replace("test_double", "test_double_again")
    reference = REFERENCE.replace("while total < 2 * x:\n        total += 1", "total = x + x")
    document = run(made(tmp_path, reference, suite), every=True)
    own = {test["id"].partition("::")[2]: test["own"] for test in document["tests"]}
    assert (own["test_double"], own["test_double_again"]) == (0, 0)
    assert own["test_text"] > 0


def entry(kind: str, digest: str) -> str:
    return f'[[{kind}]]\ndigest = "{digest}"\nsolution = "reference"\nreason = "Nobody can tell."\n'


BAR = "[bar]\nreference = 1.0\nothers = 1.0\n"
PLAIN = """
def double(x):
    if isinstance(x, str):
        raise ValueError("x")
    return x + abs(x)
"""


def test_a_noted_survivor_does_not_count(tmp_path: Path) -> None:
    left = [
        m
        for m in run(made(tmp_path / "a", PLAIN))["solutions"][0]["mutants"]
        if m["state"] == "survived"
    ]
    assert [m["operator"] for m in left] == ["unwrapped"]
    document = run(made(tmp_path / "b", PLAIN, notes=BAR + entry("free", left[0]["digest"])))
    (solution,) = document["solutions"]
    assert (solution["rate"], solution["counts"]["free"], document["findings"]) == (1.0, 1, [])


def test_a_noted_mutant_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    document = run(made(tmp_path, PLAIN, notes=BAR + entry("equivalent", "0" * 12)))
    assert document["findings"][0] == (
        "mutants.toml: [[equivalent]] 000000000000 of reference: there is no such mutant any more; "
        "remove the entry"
    )


def test_a_noted_mutant_that_a_test_kills_is_a_finding(tmp_path: Path) -> None:
    killed = mutant(run(made(tmp_path / "a", PLAIN)), "    if False:")["digest"]
    document = run(made(tmp_path / "b", PLAIN, notes=BAR + entry("equivalent", killed)))
    assert document["findings"][0] == (
        f"mutants.toml: [[equivalent]] {killed} of reference: test_it.py::test_text tells it from "
        "the original; remove the entry"
    )


def test_a_noted_mutant_that_only_the_time_limit_ends_is_as_noted(
    document: dict[str, Any], tmp_path: Path
) -> None:
    """How long it takes hangs on the machine, so it refutes no note."""
    mutants = document["solutions"][0]["mutants"]
    slow = next(m["digest"] for m in mutants if m["state"] == "timed-out")
    again = run(made(tmp_path, notes=BAR + entry("free", slow)))
    found = next(m for m in again["solutions"][0]["mutants"] if m["digest"] == slow)
    assert (found["state"], found["reason"]) == ("free", "Nobody can tell.")
    assert not any(slow in finding for finding in again["findings"])


def test_a_solution_that_fails_its_own_suite_is_not_mutated(tmp_path: Path) -> None:
    root = made(tmp_path, PLAIN.replace("x + abs", "x * abs").replace("abs(x)", "3"))
    with pytest.raises(ExerciseError, match=r"^double/reference fails its own suite.*test_double"):
        run(root)


def test_a_flaky_suite_is_named(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flaky = f"""
    import pathlib
    seen = pathlib.Path({str(flag)!r})
    before = seen.exists()
    seen.touch()
    assert_value(solution.double(2), 5 if before else 4)
"""
    suite = SUITE.replace("\n    assert_value(solution.double(2), 4)\n", flaky)
    message = r"^double/reference: test_it\.py::test_double passed in one run and failed in another"
    with pytest.raises(ExerciseError, match=message):
        run(made(tmp_path, suite=suite))


def test_without_a_reference_there_is_nothing_to_mutate(tmp_path: Path) -> None:
    root = made(tmp_path)
    (root / "hidden_tests/double/solutions/reference/expected.toml").unlink()
    with pytest.raises(UsageError, match=r"^double has no labelled reference"):
        run(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("styles = ['correct_x']\n" + BAR, "styles: correct_x is no correct solution; there are "),
        (BAR + "[[free]]\ndigest = '1'\n", "free[0].digest: must be 12 hexadecimal digits"),
        (BAR + entry("free", "0" * 12) * 2, "000000000000 is there twice; remove one"),
        (
            BAR + entry("free", "0" * 12).replace("Nobody can tell.", " "),
            "reason: must be a reason",
        ),
        (BAR + "[bars]\n", "bars: is not a key of this table; did you mean 'bar'?"),
        ("styles = []\n", "bar: is missing; add a table [bar]"),
    ],
)
def test_a_mistake_in_the_notes_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mutants.toml").write_text(text)
    with pytest.raises(ExerciseError) as caught:
        read_notes(tmp_path, ["correct_a"])
    assert message in str(caught.value)


def test_without_notes_the_first_two_correct_solutions_are_mutated(tmp_path: Path) -> None:
    notes = read_notes(tmp_path, ["correct_a", "correct_b", "correct_c"])
    assert (notes.styles, notes.reference, notes.others) == (("correct_a", "correct_b"), 1.0, 0.98)
