"""Starters: complete, runnable, and without a byte of the hidden tests."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from grader import cli
from grader.errors import ExerciseError, UsageError
from grader.exercise.contract import load_exercise, starter_files
from grader.intake.submission import read_submission
from grader.models import Exercise, SubmissionFile
from grader.notebook.convert import notebook_of
from grader.report.sources import sources
from grader.sandbox import images
from grader.starter import build, deliver, handed_out
from grader.starter.build import MARKER, candidates_own, shipped

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = ("imputation", "inference_pipeline", "leakage_debug", "drift_monitor")
SHINGLE = 10  # words
PHRASES = {"tickets.py"}  # the sentences that tickets are made of, the shipped ones too


def exercise(name: str) -> Exercise:
    return load_exercise(name, root=ROOT)


def shingles(data: bytes, kinds: tuple[str, ...] = ("code", "markdown")) -> set[str]:
    """Every run of ten words of a text, imports apart; what is no text gives its hash.

    Of a notebook each cell of these kinds is a text: the JSON around them is nobody's secret.
    """
    if data.startswith(b"{") and b'"nbformat"' in data:
        with contextlib.suppress(ValueError):
            cells = json.loads(data)["cells"]
            sources = ["".join(c["source"]).encode() for c in cells if c["cell_type"] in kinds]
            return set().union(*map(shingles, sources))
    try:
        text = re.sub(r"(?m)^\s*(import|from|if TYPE_CHECKING).*$", "", data.decode("utf-8"))
        words = re.findall(r"\w+", text)
    except UnicodeDecodeError:
        return {hashlib.sha256(data).hexdigest()}
    return {" ".join(words[n : n + SHINGLE]) for n in range(len(words) - SHINGLE + 1)}


def hidden_shingles(name: str) -> set[str]:
    """Those of all hidden files, labelled solutions included, that are not public already."""
    public = {p.read_bytes() for p in (ROOT / "exercises" / name).rglob("*") if p.is_file()}
    known = set().union(*map(shingles, public))
    found: set[str] = set()
    for path in (ROOT / "hidden_tests" / name).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and path.name not in PHRASES:
            data = path.read_bytes()
            # Headings of labelled notebooks are conversions of public docstrings.
            found |= set() if data in public else shingles(data, ("code",))
    return found - known


def sample_tests(folder: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rN"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_no_run_of_words_of_the_hidden_tests_reaches_a_starter(name: str) -> None:
    secret = hidden_shingles(name)
    assert len(secret) > 1000
    for options in ({}, {"notebook": True, "ai": "with", "seed": "jane"}, {"ai": "without"}):
        made = build(exercise(name), **options)  # type: ignore[arg-type]
        for path, data in made.files.items():
            assert not shingles(data) & secret, path


@pytest.mark.slow
def test_no_run_of_words_of_the_hidden_tests_reaches_the_candidate_image() -> None:
    secret = set().union(*map(hidden_shingles, EXERCISES))
    for path in images._sources("candidate"):
        assert not shingles(path.read_bytes()) & secret, path


def test_a_leak_into_a_starter_would_be_seen() -> None:
    source = (ROOT / "hidden_tests/imputation/test_edge.py").read_bytes()
    assert shingles(b"x\n" + source[2000:2600]) & hidden_shingles("imputation")


@pytest.mark.parametrize("name", EXERCISES)
def test_a_starter_holds_what_a_candidate_needs(name: str) -> None:
    made = build(exercise(name), ai="with")
    wanted = {
        "README.md", "solution.py", "requirements.txt", ".gitignore", "tests/test_sample.py",
        "assessment.toml", ".github/workflows/tests.yml", ".devcontainer/devcontainer.json",
        "AI_USE.md",
    }  # fmt: skip
    assert wanted <= set(made.files)
    assert "AI_USE.md" in made.files["README.md"].decode()
    assert "ask your contact" not in made.files["README.md"].decode().split("## AI assistants")[1]
    assert made.files["README.md"].decode().count("AI assistants") == 1
    assert any(path.startswith("data/") for path in made.files)
    assert json.loads(made.files[".devcontainer/devcontainer.json"])["image"]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_the_integrity_file_names_exercise_version_and_digests(name: str) -> None:
    made = build(exercise(name), seed="jane")
    marker = tomllib.loads(made.files[MARKER].decode())
    assert marker["exercise"] == name
    assert marker["version"] == made.version
    assert marker["variant"] == made.variant
    assert marker["files"] == {
        path: hashlib.sha256(data).hexdigest()
        for path, data in made.files.items()
        if not candidates_own(path, "solution.py")
    }
    assert len(made.files[MARKER]) < 8192  # as much of it as intake reads


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_a_seed_gives_other_data_and_the_same_for_the_same_seed(name: str) -> None:
    plain, jane, again, kim = (
        build(exercise(name), seed=seed).files for seed in (None, "jane", "jane", "kim")
    )
    assert jane == again
    tables = [path for path in plain if path.startswith("data/") and path.endswith(".csv")]
    assert tables
    for path in tables:
        heads = {files[path].partition(b"\n")[0] for files in (plain, jane, kim)}
        assert len(heads) == 1
        assert len({files[path] for files in (plain, jane, kim)}) == 3
    same = set(plain) - {*tables, MARKER, "data/right.txt"}
    assert all(plain[path] == jane[path] for path in same)


@pytest.mark.slow
def test_a_generator_without_a_seed_gives_the_shipped_data(tmp_path: Path) -> None:
    for name, table in (("imputation", "station_status.csv"), ("leakage_debug", "payments.csv")):
        script = ROOT / "exercises" / name / "make_data.py"
        subprocess.run([sys.executable, script, "--out", tmp_path], check=True)
        table_shipped = ROOT / "exercises" / name / "starter" / "data" / table
        assert (tmp_path / table).read_bytes() == table_shipped.read_bytes()


def test_a_notebook_draws_with_the_matplotlib_of_the_grader() -> None:
    made = build(exercise("imputation"), notebook=True).files["requirements.txt"].decode()
    pins = (ROOT / "requirements" / "notebook.txt").read_text()
    (pin,) = re.findall(r"^matplotlib==\S+", pins, re.MULTILINE)
    assert pin in made.splitlines()
    assert made.encode() in shipped(exercise("imputation"))["requirements.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["imputation", "inference_pipeline"])
def test_sample_tests_run_in_a_started_notebook(name: str, tmp_path: Path) -> None:
    """They fail on the task left open, and pass on the reference as a notebook."""
    made = build(exercise(name), notebook=True, seed="jane" if name == "imputation" else None)
    (folder,) = deliver(made, tmp_path / "task")
    assert "passed" not in sample_tests(folder) or "failed" in sample_tests(folder)
    reference = ROOT / "hidden_tests" / name / "solutions" / "reference" / "solution.py"
    (folder / "solution.ipynb").write_bytes(notebook_of(reference.read_text(), "t"))
    last = sample_tests(folder)
    assert "failed" not in last
    assert "passed" in last


@pytest.mark.slow
def test_a_variant_passes_the_sample_tests_with_the_reference(tmp_path: Path) -> None:
    for name in EXERCISES:
        (folder,) = deliver(build(exercise(name), seed="k-17"), tmp_path / name)
        reference = ROOT / "hidden_tests" / name / "solutions" / "reference"
        for path in reference.glob("*.py"):
            (folder / path.name).write_bytes(path.read_bytes())
        last = sample_tests(folder)
        assert "failed" not in last, name
        assert "passed" in last


def test_a_started_repository_has_one_clean_commit(tmp_path: Path) -> None:
    (folder,) = deliver(build(exercise("imputation")), tmp_path / "task", git=True)

    def git(*arguments: str) -> str:
        command = ["git", "-c", "safe.directory=*", *arguments]
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    assert git("rev-list", "--count", "HEAD") == "1"
    assert git("status", "--porcelain") == ""
    assert git("log", "-1", "--format=%an %s").startswith("Take-home task Missing values")
    assert not list((folder / ".git" / "hooks").glob("*"))


def test_a_zip_holds_the_folder(tmp_path: Path) -> None:
    folder, packed = deliver(build(exercise("imputation")), tmp_path / "task", packed=True)
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    expected = [p.relative_to(tmp_path).as_posix() for p in folder.rglob("*") if p.is_file()]
    assert sorted(names) == sorted(expected)
    assert read_submission(packed).exercise_id == "imputation"


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    made = build(exercise("imputation"))
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        deliver(made, tmp_path / "task")
    (tmp_path / "other.zip").write_text("x")
    with pytest.raises(UsageError, match=r"other\.zip exists"):
        deliver(made, tmp_path / "other", packed=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.zip", "task"]


def test_an_exercise_without_a_generator_says_so(tmp_path: Path) -> None:
    there = exercise("imputation")
    without = tmp_path / "imputation"
    (without / "starter").mkdir(parents=True)
    for name in ("README.md", "solution.py", "requirements.txt", "assessment.toml"):
        (without / "starter" / name).write_text("")
    bare = Exercise(
        **{
            **{name: getattr(there, name) for name in there.__dataclass_fields__},
            "public_dir": without,
        }
    )
    with pytest.raises(ExerciseError, match="no make_data"):
        build(bare, seed="x")
    (without / "make_data.py").write_text("import nothing_like_it\n")
    with pytest.raises(UsageError, match="install the author's packages"):
        build(bare, seed="x")


def test_pack_makes_what_intake_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = deliver(build(exercise("imputation")), tmp_path / "task", git=True)
    target = tmp_path / "mine.zip"
    assert cli.main(["pack", str(folder), "--out", str(target)]) == 0
    assert "solution.py" in capsys.readouterr().out
    assert read_submission(target).digest == read_submission(folder).digest
    assert not any(file.path.startswith(".git/") for file in read_submission(target).files)


def test_the_command_writes_a_starter(tmp_path: Path) -> None:
    arguments = ["starter", "imputation", str(tmp_path / "t"), "--ai", "without", "--seed", "7"]
    assert cli.main([*arguments, "--root", str(ROOT)]) == 0
    assert "without them" in (tmp_path / "t" / "README.md").read_text()


@pytest.mark.parametrize("name", EXERCISES)
def test_nothing_of_a_starter_is_shown_as_the_candidates(name: str) -> None:
    exercise = load_exercise(name, root=ROOT)
    given = handed_out(exercise)
    for notebook in (False, True):
        made = build(exercise, notebook=notebook, ai="with")
        files = [SubmissionFile(path, data) for path, data in made.files.items()]
        shown = sources(files, starter_files(exercise), (), "", given)
        assert {file.path for file in shown if file.state in {"new", "changed"}} == set()


def test_a_service_has_its_own_questions_about_assistants() -> None:
    own = (ROOT / "exercises/predict_service/AI_USE.md").read_bytes()
    assert build(exercise("predict_service"), ai="with").files["AI_USE.md"] == own


def test_a_service_is_no_notebook() -> None:
    with pytest.raises(ExerciseError, match="leave out --notebook"):
        build(exercise("predict_service"), notebook=True)


def test_what_came_with_a_service_is_known() -> None:
    made = build(exercise("predict_service"), ai="with")
    given = handed_out(exercise("predict_service"))
    assert [path for path, data in made.files.items() if data not in given[path]] == []


def guide(name: str, ai: str | None = None) -> str:
    return build(exercise(name), ai=ai).files["CANDIDATE.md"].decode("utf-8")


def test_the_guide_says_what_concerns_this_exercise() -> None:
    function, service = guide("imputation"), guide("predict_service")
    assert "## Notebooks" in function
    assert "call your functions" in function
    assert "web service" not in function
    assert "otebook" not in service
    assert "your functions with" not in service
    assert "web service" in service
    for text in (function, service):
        assert "AI_USE.md" not in text
        assert re.findall(r"(?m)^(\d)\. ", text) == list("1234")
    assert "AI_USE.md" in guide("imputation", "with")
    assert "AI_USE.md" not in guide("imputation", "without")


def test_every_form_of_the_guide_is_known_as_handed_out() -> None:
    for name in (*EXERCISES, "predict_service"):
        known = shipped(exercise(name))["CANDIDATE.md"]
        assert {guide(name, ai).encode() for ai in (None, "with", "without")} <= known
