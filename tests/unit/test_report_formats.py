"""Every format from one run: complete, escaped, and the same again from a results folder."""

from __future__ import annotations

import base64
import csv
import dataclasses
import hashlib
import io
import json
import re
import sys
import time
import zipfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from grader.commands import report as report_command
from grader.errors import UsageError
from grader.intake.submission import digest_of, read_submission
from grader.models import Cause, Measurement, Status, SubmissionFile
from grader.notebook.convert import notebook_of
from grader.notebook.facts import Difference, NotebookFacts
from grader.notebook.fresh import CellError
from grader.record.graded import SUBMISSION, pack_files, unpack_files
from grader.report.dossier import Dossier, open_dossier
from grader.report.formats import FORMATS, render
from grader.report.html import feedback_page, reviewer_page
from grader.report.interview import questions
from grader.report.markdown import MOST_BYTES, capped
from grader.report.report_json import build_report, write_report
from grader.report.sources import place_of, sources
from grader.report.stored import report_from
from grader.report.tables import write_csv
from grader.text import CandidateText

sys.path.insert(0, str(Path(__file__).parent))
from sample_dossier import ATTACK, STARTER, dossier, files, static
from sample_report import record, report


def run_folder(folder: Path, what: Dossier) -> Path:
    folder.mkdir()
    write_report(folder / "report.json", build_report(what.report))
    (folder / SUBMISSION).write_bytes(pack_files(what.files))
    return folder


class Elements(HTMLParser):
    """Counts elements and keeps attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]


def test_a_report_read_back_is_the_same_report() -> None:
    document = build_report(report())
    assert build_report(report_from(json.loads(json.dumps(document)))) == document


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_the_same_from_the_results_folder(name: str, tmp_path: Path) -> None:
    made = dossier()
    finite = [dataclasses.replace(r, measurements=r.measurements[:1]) for r in made.report.evidence]
    made = dataclasses.replace(
        made, report=dataclasses.replace(made.report, evidence=tuple(finite)), starter=None
    )
    stored, again = open_dossier(run_folder(tmp_path / "run", made), None)
    assert not again
    assert render(name, stored) == render(name, made)


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_stumbles_over_hostile_text(name: str) -> None:
    render(name, dossier(ATTACK)).decode("utf-8")


def test_hostile_text_makes_no_element_in_a_page() -> None:
    for page in (reviewer_page, lambda d: feedback_page(d.report)):
        plain, hostile = Elements(page(dossier("plain"))), Elements(page(dossier(ATTACK)))
        assert hostile.tags == plain.tags
        assert "script" not in hostile.tags


def test_a_page_refers_to_nothing_outside_itself() -> None:
    for tag, name, value in Elements(reviewer_page(dossier(ATTACK))).attributes:
        assert not name.startswith("on")
        assert name not in {"style", "src", "action", "data"}
        if name == "href":
            assert value is not None
            assert value.startswith("#"), (tag, value)


def test_every_link_in_a_page_has_its_target() -> None:
    attributes = Elements(reviewer_page(dossier())).attributes
    ids = [value for _, name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = {str(value)[1:] for _, name, value in attributes if name == "href"}
    assert links <= set(ids)


def test_the_policy_allows_the_style_sheet_and_nothing_else() -> None:
    page = reviewer_page(dossier())
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in page


def test_a_notebook_is_framed_without_any_right() -> None:
    page = reviewer_page(dossier(notebook='<p>out</p><script>alert("x")</script>'))
    frame = [(n, v) for tag, n, v in Elements(page).attributes if tag == "iframe"]
    assert ("sandbox", "") in frame
    assert ("srcdoc", '<p>out</p><script>alert("x")</script>') in frame
    assert "<script" not in page


def test_findings_stand_below_their_lines() -> None:
    shown = {file.path: file for file in sources(files(), STARTER, dossier("why").report.evidence)}
    notes = {row.anchor: row.notes for row in shown["solution.py"].rows if row.notes}
    assert {line: [note.static for note in found] for line, found in notes.items()} == {
        "1": [True],
        "2": [False],
    }
    assert shown["README.md"].state == "missing"


def test_findings_stand_in_the_cells_of_a_notebook() -> None:
    data = notebook_of("def f():\n    return 1\n\n\nx = f()\n", "Title")
    broken = dataclasses.replace(
        record("run", message="boom"), where="solution.ipynb, cell 1, line 2 in f"
    )
    found = (
        broken,
        static("2 findings, none overlooked: cell 2, line 1 no hints; cell 1, line 1 no"),
    )
    graded = (SubmissionFile("solution.ipynb", data), SubmissionFile("odd.ipynb", b"{"))
    shown, odd, _ = sources(graded, STARTER, found, "solution.ipynb")
    assert (shown.state, odd.why_not) == ("changed", "no readable notebook")
    notes = {row.anchor: [note.text for note in row.notes] for row in shown.rows if row.notes}
    assert notes == {"1-1": ["no"], "1-2": ["Title of run: boom"], "2-1": ["no hints"]}
    assert [row.new.raw for row in shown.rows if row.kind == "cell" and row.new] == [
        "cell 1",
        "cell 2",
    ]
    assert place_of("solution.ipynb, cell 1, line 2 in f") == ("solution.ipynb", "1-2")
    assert place_of("cell 5, line 4", "a.ipynb") == ("a.ipynb", "5-4")
    assert place_of("somewhere") is None


def test_a_run_of_a_notebook_is_read_back_whole(tmp_path: Path) -> None:
    text = CandidateText("<b>x</b>")
    facts = NotebookFacts(
        "solution.ipynb", 3, 1, (CellError(2, 1, text, text, text),), "it stopped",
        (Difference(1, text, CandidateText("y")),), 1, "notebook.html",
    )  # fmt: skip
    made = dossier(notebook="<p>page</p>")
    made = dataclasses.replace(made, report=dataclasses.replace(made.report, notebook=facts))
    folder = run_folder(tmp_path / "run", made)
    (folder / "notebook.html").write_text("<p>page</p>")
    stored, _ = open_dossier(folder, None)
    assert stored.report.notebook == facts
    assert stored.notebook == "<p>page</p>"
    page = reviewer_page(stored)
    assert "Cell 1: what was stored is not what a fresh run gives" in page
    assert "<b>x</b>" not in page


def test_the_record_of_a_run_is_not_overwritten(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", dossier())
    before = (folder / "report.json").read_bytes()
    arguments = [str(folder), "--as-recorded"]
    assert report_command.run([*arguments, "--format", "all"]) == 0
    for out in ([], ["--out", str(folder)], ["--out", str(folder / "report.json")]):
        with pytest.raises(UsageError, match="is the record"):
            report_command.run([*arguments, "--format", "json", *out])
    assert (folder / "report.json").read_bytes() == before


def test_the_diff_pairs_changed_lines() -> None:
    (shown, _) = sources(files(), STARTER, ())
    assert [(row.kind, row.old_number, row.new_number) for row in shown.rows] == [
        ("same", 1, 1),
        ("changed", 2, 2),
    ]


def test_a_file_made_to_be_slow_to_compare_is_compared_in_seconds() -> None:
    old = {"solution.py": b"".join(b"x = %d\n" % (n % 97) for n in range(1400))}
    new = "".join(f"x = {n * 31 % 97}\n" for n in range(1400))
    clock = time.perf_counter()
    sources(files(new), old, ())
    assert time.perf_counter() - clock < 5


@pytest.mark.parametrize("data", [b"a\0b", b"\xff\xfe\xff", b"x = 1\n" * 3000])
def test_what_is_no_short_text_is_listed_and_not_shown(data: bytes) -> None:
    (shown,) = sources((SubmissionFile("a.py", data),), None, ())
    assert shown.rows == ()
    assert shown.why_not


def test_questions_come_from_what_was_found() -> None:
    item = record("test_leak", message="moved")
    leak = dataclasses.replace(item, measurements=(Measurement("change", 0.4, "score", 1e-8),))
    slow = dataclasses.replace(record("slow", message="late"), cause=Cause.TIMEOUT)
    asked = questions(report(leak, slow, record("test_three", criterion="scale")))
    assert "deadline" in asked[0].because
    assert "change was 0.4 score against a limit of 1e-08" in asked[1].because
    assert asked[1].tests == (leak.test.id,)
    assert "provisional" in asked[-1].because


def test_junit_holds_every_check() -> None:
    root = ET.fromstring(render("junit", dossier(ATTACK)))
    cases = root.findall("testsuite/testcase")
    failures = root.findall("testsuite/testcase/failure")
    assert [case.get("name") for case in cases] == [
        "Title of test_one",
        "Title of test_three",
        "Title of test_two",
        "Title of x",
    ]
    assert root.get("failures") == "2" == str(len(failures))
    assert set(root.keys()) == {"name", "tests", "failures", "errors", "time"}  # as its schema
    assert "<img src=x onerror=alert(1)>" in str(failures[0].text)


def test_csv_cells_are_no_formulas_and_numbers_stay_numbers() -> None:
    table = write_csv(["a"], [["=1+1"], ["\t=1"], [" @x"], [-2.5], [None], ["plain"]])
    cells = [row[0] for row in csv.reader(io.StringIO(table.decode()))]
    assert cells == ["a", "'=1+1", "\\t=1", "' @x", "-2.5", "", "plain"]
    rows = list(csv.reader(io.StringIO(render("csv", dossier(ATTACK)).decode())))
    assert len(rows) == 5
    assert all(cell[:1] not in {"=", "+", "-", "@", "\t", "\r"} for row in rows for cell in row)


def test_a_step_summary_stays_below_what_github_takes() -> None:
    long = capped(f"line {n} " + "é" * 100 for n in range(20_000))
    assert len(long) <= MOST_BYTES
    assert long.decode().endswith("holds everything.\n")
    assert "| Code correctness |" in render("github", dossier()).decode()


def test_markdown_of_hostile_text_is_inert() -> None:
    shown = render("github", dossier(ATTACK)).decode()
    assert "<img" not in shown
    assert "\n::error" not in shown
    assert "\x1b" not in shown


def test_gradescope_results_follow_its_specification() -> None:
    results = json.loads(render("gradescope", dossier(ATTACK)))
    known = {"score", "output", "output_format", "test_output_format", "test_name_format"}
    known |= {"visibility", "stdout_visibility", "extra_data", "tests"}
    assert set(results) == known
    assert 0 <= results["score"] <= 4
    for test in results["tests"]:
        fields = {"name", "status", "output", "visibility", "tags", "extra_data"}
        assert set(test) <= fields
        assert test["visibility"] in {"hidden", "after_published"}
    seen = [test for test in results["tests"] if test["visibility"] != "hidden"]
    assert [test["name"] for test in seen] == [
        "Code correctness",
        "Code clarity",
        "Problem solving",
    ]


def without_notes(made: Dossier) -> Dossier:
    """Notes are on the candidate's own files, made before anything of ours is read."""
    return dataclasses.replace(made, report=dataclasses.replace(made.report, submission_notes=()))


@pytest.mark.parametrize("name", [n for n, f in FORMATS.items() if f.audience == "candidate"])
def test_what_candidates_get_reveals_no_check(name: str) -> None:
    made = without_notes(dossier("expected 42.5 got 17"))
    shown = render(name, made).decode()
    assert "Hint for two." in shown
    for item in made.report.evidence:
        secrets = [item.test.id, item.test.title, item.test.id.rpartition("::")[2], item.where]
        assert not [secret for secret in secrets if len(secret) > 1 and secret in shown]
    for secret in ("42.5", "17", "0.81", "below", "meets", "test_a", "2.4"):
        assert secret not in re.sub(r"<style>.*?</style>|sha256-\S+", "", shown, flags=re.DOTALL)


def test_what_gradescope_shows_to_candidates_reveals_no_check() -> None:
    results = json.loads(render("gradescope", without_notes(dossier("expected 42.5 got 17"))))
    seen = [results["output"], *(t for t in results["tests"] if t["visibility"] != "hidden")]
    assert "42.5" not in json.dumps(seen)
    assert "test_" not in json.dumps(seen)


def test_the_graded_files_can_be_graded_again(tmp_path: Path) -> None:
    graded = (SubmissionFile("data/a.csv", b"0," * 9_000_000), *files())
    path = tmp_path / SUBMISSION
    path.write_bytes(pack_files(graded))
    assert unpack_files(path, digest_of(graded)) == graded
    assert read_submission(path).digest == digest_of(graded)
    small = pack_files(files())
    path.write_bytes(small)
    assert read_submission(path).digest == digest_of(files())
    assert small == pack_files(files())


def test_graded_files_of_another_run_are_refused(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", dossier())
    (folder / SUBMISSION).write_bytes(pack_files(files("x = 1\n")))
    with pytest.raises(UsageError, match="digest differs"):
        open_dossier(folder, None)
    (folder / SUBMISSION).write_bytes(b"PK no zip")
    with pytest.raises(UsageError, match="cannot be read"):
        open_dossier(folder, None)
    with zipfile.ZipFile(folder / SUBMISSION, "w") as archive:
        archive.writestr("../solution.py", "x")
    with pytest.raises(UsageError, match="digest differs"):
        open_dossier(folder, None)


def test_no_template_prints_without_the_encoder() -> None:
    folder = Path(reviewer_page.__code__.co_filename).parent / "templates"
    for template in folder.glob("*.j2"):
        assert not re.search(r"\|\s*safe|autoescape|Markup", template.read_text()), template.name


def test_passed_and_failed_are_counted() -> None:
    page = reviewer_page(dossier())
    passed = sum(r.status is Status.PASSED for r in dossier().report.evidence)
    assert f"{passed} of 4 checks passed" in page
