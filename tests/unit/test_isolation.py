"""An error that nobody foresaw costs one submission: no score for it, and no other's result."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from grader import batch, cli, pipeline
from grader.commands import collect
from grader.errors import UnforeseenError, unforeseen
from grader.exercise.contract import load_exercise
from grader.notebook.outputs import Allowance, clean_outputs
from grader.report import formats
from grader.report.report_json import build_report
from grader.report.sources import sources
from tests.unit.notebooks import code, notebook
from tests.unit.sample_dossier import STARTER, files
from tests.unit.sample_report import record, report
from tests.unit.test_collect import Fast, arguments, fabricated, fast, submission, table

if TYPE_CHECKING:
    from grader.pipeline import Graded, Grading

ROOT = Path(__file__).resolve().parents[2]
SEED = "0" * 31 + "1"


def failing(text: str = "boom") -> Any:
    raise TypeError(text)


def caught(call: Any) -> Exception:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError


def test_a_fault_names_type_words_and_the_innermost_line_of_ours() -> None:
    fault = unforeseen(caught(lambda: clean_outputs([{}], 1, cast("Any", None)) or {}["x"]))
    assert isinstance(fault, UnforeseenError)
    assert fault.exit_code == 3
    assert "KeyError: 'x' (at test_isolation.py:" in str(fault)
    inner = unforeseen(caught(lambda: clean_outputs([5] * 61, 1, cast("Any", None))))
    assert "AttributeError: " in str(inner)
    assert "(at grader/notebook/outputs.py:" in str(inner)
    assert "in clean_outputs)" in str(inner)
    assert isinstance(inner.__cause__, AttributeError)


def test_a_long_word_of_an_error_is_cut() -> None:
    assert len(str(unforeseen(caught(lambda: failing("x" * 10_000))))) < 600


@pytest.mark.parametrize("kind", [{}, [], ["stream"], 1, None, True])
def test_an_output_of_no_named_type_is_left_out(kind: object) -> None:
    kept = {"output_type": "stream", "text": "1"}
    found = clean_outputs([{"output_type": kind, "text": "x"}, kept], 1, Allowance())
    assert found == ({"output_type": "stream", "name": "stdout", "text": "1"},)


def test_lines_of_a_traceback_that_are_no_text_are_left_out() -> None:
    (found,) = clean_outputs(
        [{"output_type": "error", "traceback": ["a", {}, 5, "b"]}], 1, Allowance()
    )
    assert found["traceback"] == ["a", "b"]


def test_a_notebook_that_nobody_can_read_is_a_line_in_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("grader.report.sources.read_notebook", lambda *_: failing())
    odd = type(files()[0])("odd.ipynb", notebook("x = 1"))
    shown = {file.path: file.why_not for file in sources((*files(), odd), STARTER, ())}
    assert shown["odd.ipynb"] == "no readable notebook"


def odd_notebook(place: Path) -> Path:
    """What once stopped a whole collection."""
    place.mkdir(parents=True)
    cell = code("x = 1", 1, {"output_type": {}})
    (place / "solution.ipynb").write_bytes(notebook(cell))
    return place


def test_a_collection_with_an_odd_notebook_grades_everybody(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "ann", "x = 1\n")
    odd_notebook(folder / "bob")
    assert collect.run(arguments(folder, out), benches=fast(out)) == 0
    assert [row["state"] for row in table(out)] == ["graded", "graded"]


def test_intake_that_fails_on_one_costs_only_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "ann", "x = 1\n")
    submission(folder / "bob", "x = 2\n")
    honest = pipeline.prepare

    def prepare(path: Path, **options: Any) -> Grading:
        return failing() if path.name == "bob" else honest(path, **options)

    monkeypatch.setattr(pipeline, "prepare", prepare)
    assert collect.run(arguments(folder, out), benches=fast(out)) == 3
    ann, bob = table(out)
    assert (ann["state"], bob["state"], bob["score"]) == ("graded", "failed", "")
    assert "TypeError: boom (at grader/commands/collect.py:" in bob["notes"]


def test_a_bench_that_fails_on_one_grades_the_others(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in ("ann", "bob", "cy"):
        submission(folder / name, f"x = '{name}'\n")

    class Odd(Fast):
        def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
            if "ann" in str(grading.submission.source):
                failing()
            return super().grade(grading, out, last=last)

    assert collect.run(arguments(folder, out), benches=[lambda: Odd(tmp_path / "log")]) == 3
    assert [row["state"] for row in table(out)] == ["failed", "graded", "graded"]
    assert "TypeError: boom" in table(out)[0]["notes"]


def test_an_interrupt_of_one_still_stops_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    submission(folder / "ann", "x = 1\n")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "prepare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        collect.run(arguments(folder, out), benches=fast(out))


class Idle:
    """In place of the sandbox."""

    ahead = False

    def __init__(self, *_: object, **__: object) -> None: ...

    def images_for(self, exercise: object) -> None: ...

    def close(self) -> None: ...


def test_several_on_the_command_line_do_not_fall_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [submission(tmp_path / name, f"x = '{name}'\n") for name in ("ann", "bob", "cy")]
    honest = pipeline.prepare

    def prepare(path: Path, **options: Any) -> Grading:
        return failing("at intake") if path.name == "bob" else honest(path, **options)

    def run(worker: object, bench: object, grading: Grading, **_: object) -> pipeline.Graded:
        del worker, bench
        if grading.submission.name == "cy":
            failing("in the run")
        return pipeline.Graded(fabricated(grading), tmp_path / "run", ("a page is missing",))

    monkeypatch.setattr(batch, "Workbench", Idle)
    monkeypatch.setattr(batch, "Worker", Idle)
    monkeypatch.setattr(pipeline, "prepare", prepare)
    monkeypatch.setattr(pipeline, "run", run)
    words = ["--quiet", "--exercise", "imputation", "--seed", SEED]
    assert cli.main([*map(str, paths), *words]) == 3
    told = capsys.readouterr()
    assert told.out.split()[0] == "ann"
    assert f"{paths[1]}: error: the grader itself failed here" in told.err
    assert "TypeError: at intake" in told.err
    assert "TypeError: in the run" in told.err
    index = (tmp_path / "index.html").read_text()
    assert 'href="run/report.html"' in index
    assert "bob" in index
    assert "cy" in index
    assert "a page is missing" in told.err


def test_an_unforeseen_error_is_exit_code_3_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = submission(tmp_path / "ann", "x = 1\n")
    monkeypatch.setattr(pipeline, "prepare", lambda *_, **__: failing())
    assert cli.main([str(path)]) == 3
    told = capsys.readouterr().err
    assert "grade: error: the grader itself failed here" in told
    assert "TypeError: boom (at grader/batch.py:" in told
    assert "Traceback" not in told


def test_a_page_that_cannot_be_made_does_not_lose_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "reviewer_page", lambda _: failing())
    grading = SimpleNamespace(
        submission=SimpleNamespace(files=files()),
        exercise=load_exercise("imputation", root=ROOT),
    )
    made = report(record("test_one"), record("three", criterion="scale"))
    (fault,) = pipeline._write(tmp_path, build_report(made), cast("Any", grading), None)
    assert fault.startswith("report.html could not be made: ")
    assert "TypeError: boom" in fault
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.json",
        "submission.zip",
        "scorecard.txt",
        "feedback.html",
        "feedback.md",
    }
