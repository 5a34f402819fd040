"""Labelled solutions as a base and a patch: what is read, what is refused, what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.authoring.labels import (
    exercises,
    known_costs,
    label_text,
    load_case,
    load_cases,
    replace_tables,
    sources,
)
from grader.authoring.patches import PatchError
from tests.scripts import load

ROOT = Path(__file__).resolve().parents[2]
CASES = [case for exercise in exercises(ROOT) for case in load_cases(exercise, ROOT)]
WHOLE = """\
about = "The model answer."
failing = []
band = "exceeds"
levels = { correctness = "excellent", clarity = "excellent" }
"""
DEFECT = (
    'base = "reference"\nfailing = ["core"]\nband = "meets"\nlevels = { correctness = "okay" }\n'
)
PATCH = "--- a/solution.py\n+++ b/solution.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"
OTHER = "--- a/solution.py\n+++ b/solution.py\n@@ -3 +3 @@\n-c = 3\n+c = 4\n"

defect = load("defect")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An exercise `x` with a reference and two patches of it."""
    put(tmp_path, "reference", WHOLE, {"solution.py": "a = 1\nb = 2\nc = 3\n"})
    put(tmp_path, "wrong_a", f'about = "A."\n{DEFECT}', {"defect.patch": PATCH})
    put(tmp_path, "wrong_c", f'about = "C."\n{DEFECT}', {"defect.patch": OTHER})
    return tmp_path


def put(root: Path, name: str, label: str, files: dict[str, str]) -> None:
    folder = root / "hidden_tests/x/solutions" / name
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in {"expected.toml": label, **files}.items():
        (folder / path).write_text(text)


def case(root: Path, name: str):  # noqa: ANN201 - a Case
    return load_case(root / "hidden_tests/x/solutions" / name, "x", root)


@pytest.mark.parametrize("one", CASES, ids=lambda one: f"{one.exercise}/{one.name}")
def test_every_labelled_solution_has_files_and_a_sentence(one) -> None:  # noqa: ANN001 - a Case
    assert sources(one)
    assert one.about.endswith(".")
    assert one.levels
    assert one.band


def test_a_patch_changes_its_base_and_adds_to_its_costs(root: Path) -> None:
    wrong = case(root, "wrong_a")

    assert sources(wrong) == {"solution.py": b"a = 2\nb = 2\nc = 3\n"}
    assert wrong.failing == {"core"}
    assert wrong.levels == {"correctness": "okay", "clarity": "excellent"}
    assert wrong.band == "meets"


def test_defects_are_combined(root: Path) -> None:
    put(root, "pair", 'defects = ["wrong_a", "wrong_c"]\nfailing = ["edge"]\n', {})
    pair = case(root, "pair")

    assert sources(pair) == {"solution.py": b"a = 2\nb = 2\nc = 4\n"}
    assert pair.failing == {"core", "edge"}
    assert pair.about == "A. C."
    assert pair.band == "exceeds"  # levels and band of the base, if the label says no others


def test_a_label_of_whole_sources_may_be_that_of_another(root: Path) -> None:
    put(root, "correct", 'about = "Other."\nbase = "reference"\n', {"solution.py": "d = 1\n"})

    assert sources(case(root, "correct")) == {"solution.py": b"d = 1\n"}
    assert case(root, "correct").levels == case(root, "reference").levels


def test_a_notebook_is_made_of_its_base_and_costs_what_that_costs(
    root: Path, tmp_path: Path
) -> None:
    put(root, "nb_a", 'about = "A, too."\nbase = "wrong_a"\nform = "notebook"\n', {})
    one = case(root, "nb_a")

    assert (one.failing, one.levels) == (frozenset({"core"}), case(root, "wrong_a").levels)
    assert list(sources(one)) == ["solution.ipynb"]
    cells = json.loads(sources(one)["solution.ipynb"])["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    assert code == ["a = 2\nb = 2\nc = 3"]
    assert label_text(one, known_costs(one, root)).startswith('about = "A, too."\nbase = "wrong_a"')
    defect.unpack("x/nb_a", tmp_path / "edit", root=root)
    assert [path.name for path in (tmp_path / "edit").iterdir()] == ["solution.ipynb"]


@pytest.mark.parametrize(
    ("label", "files", "fault"),
    [
        (f'about = "X."\nhint = 1\n{DEFECT}', {"defect.patch": PATCH}, "unknown keys"),
        ('about = "X."\nbase = "gone"\n', {"defect.patch": PATCH}, "no labelled solution gone"),
        ('about = "X."\nbase = "wrong_a"\n', {"defect.patch": PATCH}, "name reference in its"),
        ('about = "X."\nbase = "wrong_x"\n', {"defect.patch": PATCH}, "by way of itself"),
        ('about = "X."\n', {"defect.patch": PATCH}, "say which labelled solution is patched"),
        ('about = "X."\n', {"solution.py": ""}, "needs band, failing, levels"),
        ('base = "reference"\n', {"solution.py": ""}, "a sentence"),
        ('base = "reference"\n', {"defect.patch": PATCH}, "a sentence"),
        (f'about = "X."\n{DEFECT}', {"defect.patch": PATCH, "b.py": ""}, r"sources \(b.py\)"),
        (f'about = "X."\nsource = "y"\n{DEFECT}', {"defect.patch": PATCH}, r"sources \(source\)"),
        ('defects = ["wrong_a", "reference"]\n', {}, "reference has no defect.patch"),
        ('defects = ["wrong_a"]\nbase = "reference"\n', {}, "remove the other"),
        ('defects = ["wrong_a"]\n', {"solution.py": ""}, r"sources \(solution.py\)"),
        (f'form = "script"\nabout = "X."\n{DEFECT}', {}, "form is"),
        (f'form = "notebook"\n{WHOLE}', {}, "of what"),
        (f'form = "notebook"\nabout = "X."\n{DEFECT}', {"solution.ipynb": ""}, "own files"),
        (f'form = "notebook"\nabout = "X."\n{DEFECT}', {"defect.patch": PATCH}, "own files"),
    ],
)
def test_a_label_that_makes_no_sense_is_refused(
    root: Path, label: str, files: dict[str, str], fault: str
) -> None:
    put(root, "wrong_x", label, files)

    with pytest.raises(ValueError, match=fault):
        case(root, "wrong_x")


def test_defects_of_several_bases_are_refused(root: Path) -> None:
    put(root, "correct", 'about = "B."\nbase = "reference"\n', {"solution.py": "a = 1\n"})
    put(root, "wrong_b", 'about = "B."\nbase = "correct"\n', {"defect.patch": PATCH})
    put(root, "pair", 'defects = ["wrong_a", "wrong_b"]\n', {})

    with pytest.raises(ValueError, match="several bases, correct, reference"):
        case(root, "pair")


def test_a_patch_that_does_not_fit_names_case_and_hunk_and_the_way_out(root: Path) -> None:
    (root / "hidden_tests/x/solutions/reference/solution.py").write_text("\na = 1\n")

    with pytest.raises(PatchError, match=r"x/wrong_a: defect.patch: solution.py, hunk 1: line 1"):
        sources(case(root, "wrong_a"))


def test_a_label_is_written_as_it_is_read() -> None:
    for one in CASES:
        text = (one.folder / "expected.toml").read_text(encoding="utf-8")
        assert label_text(one, known_costs(one, ROOT)) == text


def test_what_costs_less_than_its_base_is_not_written(root: Path) -> None:
    with pytest.raises(ValueError, match="does not fail core, which its base"):
        label_text(case(root, "reference"), case(root, "wrong_a"))


def test_a_case_is_unpacked_edited_and_packed(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "edit"
    defect.unpack("x/wrong_a", folder, root=root)
    (folder / "solution.py").write_text("a = 9\nb = 2\nc = 3\n")
    (folder / "notes.txt").write_text("n\n")

    patch = defect.pack("x/wrong_a", folder, root=root)

    assert patch.read_bytes().endswith(b"-a = 1\n+a = 9\n")
    assert sources(case(root, "wrong_a")) == {
        "solution.py": b"a = 9\nb = 2\nc = 3\n",
        "notes.txt": b"n\n",
    }
    assert case(root, "wrong_a").failing == {"core"}


def test_whole_sources_become_a_patch_with_the_same_label(root: Path, tmp_path: Path) -> None:
    put(root, "wrong_b", WHOLE.replace("[]", '["core"]'), {"solution.py": "a = 1\nc = 3\n"})
    before = case(root, "wrong_b")
    files = sources(before)
    defect.unpack("x/wrong_b", tmp_path / "edit", root=root)

    defect.pack("x/wrong_b", tmp_path / "edit", "reference", root=root)

    after = case(root, "wrong_b")
    assert sources(after) == files
    assert (after.failing, after.levels, after.band) == (before.failing, before.levels, "exceeds")
    assert sorted(path.name for path in after.folder.iterdir()) == ["defect.patch", "expected.toml"]


def test_a_new_case_begins_with_the_label_of_its_base(root: Path, tmp_path: Path) -> None:
    defect.unpack("x/reference", tmp_path / "edit", root=root)
    (tmp_path / "edit" / "solution.py").write_text("a = 1\n")

    defect.pack("x/wrong_new", tmp_path / "edit", "reference", root=root)

    assert case(root, "wrong_new").about == "TODO: one sentence."


@pytest.mark.parametrize(
    ("base", "fault"),
    [
        ("", "--base CASE"),
        ("wrong_a", "take reference"),
        ("gone", "there is no"),
        ("reference", "no defect"),
    ],
)
def test_what_cannot_be_packed_is_refused(
    root: Path, tmp_path: Path, base: str, fault: str
) -> None:
    defect.unpack("x/reference", tmp_path / "edit", root=root)

    with pytest.raises(ValueError, match=fault):
        defect.pack("x/wrong_new", tmp_path / "edit", base, root=root)


def test_a_table_is_written_between_its_marks(root: Path) -> None:
    text = "# T\n<!-- labelled: wrong_ -->\nold\n<!-- end -->\nend\n"

    assert replace_tables(text, load_cases("x", root)) == (
        "# T\n<!-- labelled: wrong_ -->\n| case | what it is | costs |\n|---|---|---|\n"
        "| `wrong_a` | A. | `core` |\n| `wrong_c` | C. | `core` |\n<!-- end -->\nend\n"
    )


def test_the_tables_of_defects_are_those_of_the_labels() -> None:
    """If not: ``python scripts/defect.py table``."""
    assert defect.tables(write=False) == []
