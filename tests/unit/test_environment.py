"""``[environment]`` of an exercise, and the lock that belongs to it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import cli
from grader.authoring.lock import Locked, _Resolver, _Wheels, input_of, lock
from grader.errors import ExerciseError, PrerequisiteError, UsageError
from grader.exercise.contract import load_exercise, starter_files
from grader.exercise.environment import LOCK, read_packages, read_requirements
from grader.sandbox.images import ensure_images
from grader.sandbox.wheels import fetched
from grader.starter.build import build, shipped
from tests.unit.wheel import serving, write_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from grader.models import Exercise

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on this machine, for uv and for pip; yields the folder of its wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_wheel(folder, "booster", "1.0")
    write_wheel(folder, "booster", "2.0", needs=("helper",))
    write_wheel(folder, "helper", "0.5")
    write_wheel(folder, "modern", "1.0")
    write_wheel(folder, "modern", "2.0", needs=("numpy>=99",))
    write_wheel(folder, "modern-only", "2.0", needs=("numpy>=99",))
    write_wheel(folder, "old-python", "1.0", tag="cp38-cp38-manylinux2014_x86_64")
    write_wheel(folder, "numpy", "2.4.6")
    write_wheel(folder, "numpy", "99.0")
    with serving(folder) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        monkeypatch.setenv("PIP_INDEX_URL", address)
        for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_INDEX"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        yield folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for part in ("exercises/imputation", "requirements"):
        shutil.copytree(ROOT / part, tmp_path / "root" / part)
    hidden = tmp_path / "root/hidden_tests/imputation"
    hidden.mkdir(parents=True)
    shutil.copy(ROOT / "hidden_tests/imputation/rubric.toml", hidden)
    return tmp_path / "root"


def with_environment(root: Path, table: str, requirements: str | None = None) -> Exercise:
    """The exercise with an environment of its own."""
    folder = root / "exercises/imputation"
    source = (ROOT / "exercises/imputation/exercise.toml").read_text()
    (folder / "exercise.toml").write_text(f"{source}\n[environment]\n{table}\n")
    if requirements is not None:
        (folder / "requirements.in").write_text(requirements)
    return load_exercise("imputation", root=root)


def locked(root: Path, requirements: str) -> Locked:
    exercise = with_environment(root, 'requirements = "requirements.in"', requirements)
    return lock(exercise, input_of(exercise), lambda _: None)


def fetch(root: Path, below: Path, architecture: str = "x86_64") -> Path:
    """The folder with the packages of the lock."""
    lock_file = root / "exercises/imputation" / LOCK
    return fetched(lock_file, "3.13", architecture, cache=below / "sites", say=lambda _: None)


def reason(root: Path, requirements: str) -> str:
    with pytest.raises(ExerciseError) as caught:
        locked(root, requirements)
    assert not (root / "exercises/imputation" / LOCK).exists()
    return str(caught.value)


def test_an_exercise_runs_on_todays_python_and_the_base_set() -> None:
    environment = load_exercise("imputation", root=ROOT).environment
    assert (environment.python, environment.extra, environment.fault) == ("3.13", {}, "")
    assert {"numpy", "pandas", "ipython"} <= environment.packages.keys()


def test_packages_that_generate_code_are_named(root: Path) -> None:
    plain = load_exercise("imputation", root=ROOT).environment
    named = with_environment(root, 'generates_code = ["attr", "patsy"]').environment
    assert (plain.generators, named.generators) == ((), ("attr", "patsy"))
    assert named.digest == plain.digest  # the image is the same


def test_another_python_is_another_environment(root: Path) -> None:
    older = with_environment(root, 'python = "3.11"').environment
    assert older.python == "3.11"
    assert older.digest != load_exercise("imputation", root=ROOT).environment.digest


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('python = "3.12"', r"environment.python: must be one of 3.11, 3.13"),
        ("python = 3.13", r"environment.python: must be one of 3.11, 3.13"),
        ('requirements = "../x.in"', r"environment.requirements: must be a file name"),
        ('requirements = "missing.in"', r"missing.in does not exist; write it"),
        ('generates_code = "attr"', r"environment.generates_code: must be a list of import names"),
        ('generates_code = ["a-b"]', r"environment.generates_code: must hold import names"),
        ('pyhton = "3.13"', r"pyhton"),
    ],
)
def test_a_wrong_environment_is_named(root: Path, table: str, told: str) -> None:
    with pytest.raises(ExerciseError, match=told):
        with_environment(root, table)


@pytest.mark.parametrize(
    "line",
    [
        "-e .", "--index-url https://example.org", "booster @ https://example.org/b.whl", "./x",
        "git+https://example.org/x",
    ],
)  # fmt: skip
def test_only_plain_requirements_are_read(tmp_path: Path, line: str) -> None:
    path = tmp_path / "requirements.in"
    path.write_text(f"# a comment\nhelper\n{line}\n")
    with pytest.raises(ExerciseError, match=r"requirements.in:3: .* is no plain requirement"):
        read_requirements(path)


def test_a_requirement_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "requirements.in"
    path.write_text("big_thing\nBig-Thing>=2\n")
    with pytest.raises(ExerciseError, match=r":2: Big-Thing is listed twice"):
        read_requirements(path)


@pytest.mark.usefixtures("index")
def test_a_lock_pins_what_is_needed_beyond_the_base_set_with_hashes(root: Path) -> None:
    made = locked(root, "booster>=1.5\nnumpy>=2\n")
    assert made.packages == {"booster": "2.0", "helper": "0.5"}
    assert made.changes == ("+ booster 2.0", "+ helper 0.5")
    exercise = load_exercise("imputation", root=root)
    assert exercise.environment.fault == ""
    assert exercise.environment.extra == {"booster": "2.0", "helper": "0.5"}
    text = exercise.environment.lock.decode()
    assert text.count("--hash=sha256:") == 2
    assert "http" not in text


@pytest.mark.usefixtures("index")
def test_a_lock_made_again_says_what_changed(root: Path) -> None:
    locked(root, "booster>=1.5\n")
    assert locked(root, "booster<2\n").changes == ("  booster 2.0 → 1.0", "- helper 0.5")
    assert locked(root, "booster<2\n").changes == ()


@pytest.mark.usefixtures("index")
def test_a_requirement_held_back_by_the_base_set_is_told(root: Path) -> None:
    made = locked(root, "modern\n")
    assert made.packages == {"modern": "1.0"}
    assert made.warnings == ("modern is 1.0, not 2.0: newer ones do not go with the base set",)


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("requirements", "parts"),
    [
        ("booster>=3\n", ["booster>=3", "the newest booster", "is 2.0", "Write booster==2.0"]),
        ("nowhere\n", ["nowhere", "no version of nowhere has a wheel", "Check the name"]),
        ("old-python\n", ["old-python", "no version", "Python 3.13"]),
        ("numpy<2\n", ["numpy<2", "the base set, which has numpy 2.4.6", "Remove the line"]),
        ("modern-only\n", ["numpy 99.0 (the base set has 2.4.6)", "The newest modern-only is 2.0"]),
        ("modern>=2\n", ["modern>=2", "numpy 99.0 (the base set has 2.4.6)"]),
    ],
)  # fmt: skip
def test_a_requirement_that_cannot_be_met_is_explained(
    root: Path, requirements: str, parts: list[str]
) -> None:
    told = reason(root, requirements)
    assert [part for part in parts if part not in told] == []


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("exercises/imputation/requirements.in", "booster", "booster<2"), "other requirements"),
        (("exercises/imputation/exercise.toml", "[environment]", '[environment]\npython="3.11"'),
         "was made for Python 3.13, not 3.11"),
        (("requirements/sandbox.txt", "pyarrow==", "pyarrow==9"), "another base set"),
        (("exercises/imputation/requirements.lock", "--hash=sha256:", "# "), "without a hash"),
    ],
)  # fmt: skip
def test_a_lock_that_does_not_match_is_refused_before_anything_is_built(
    root: Path, change: tuple[str, str, str], told: str
) -> None:
    locked(root, "booster\n")
    path = root / change[0]
    path.write_text(path.read_text().replace(change[1], change[2]))
    environment = load_exercise("imputation", root=root).environment
    assert told in environment.fault
    assert "run `grade lock imputation`" in environment.fault
    engine: Any = None  # nothing may be asked of it
    with pytest.raises(ExerciseError, match="run `grade lock imputation`"):
        ensure_images(engine, environment, lambda _: None)


def test_a_lock_that_is_missing_is_named(root: Path) -> None:
    environment = with_environment(root, 'requirements = "requirements.in"', "x\n").environment
    assert "requirements.lock is missing; run `grade lock imputation`" in environment.fault


def test_verify_names_a_lock_that_does_not_match(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_environment(root, 'requirements = "requirements.in"', "x\n")
    assert cli.main(["verify", "imputation", "--root", str(root)]) == 2
    assert "requirements.lock is missing" in capsys.readouterr().err


def test_there_is_nothing_to_lock_without_requirements(root: Path) -> None:
    with pytest.raises(UsageError, match="uses the base set alone"):
        input_of(with_environment(root, 'python = "3.11"'))


@pytest.mark.usefixtures("index")
def test_candidates_install_what_the_lock_pins(root: Path) -> None:
    locked(root, "booster\n")
    exercise = load_exercise("imputation", root=root)
    pins = starter_files(exercise)["requirements.txt"].decode()
    assert pins.endswith("# Packages of this exercise alone.\nbooster==2.0\nhelper==0.5\n")
    assert pins.encode() in shipped(exercise)["requirements.txt"]
    made = build(exercise, notebook=True).files["requirements.txt"].decode()
    assert "booster==2.0" in made
    assert "jupyterlab" in made


def test_a_starter_names_the_python_of_the_sandbox(root: Path) -> None:
    made = build(with_environment(root, 'python = "3.11"')).files
    assert b'python-version: "3.11"' in made[".github/workflows/tests.yml"]
    assert b"python:3.11-" in made[".devcontainer/devcontainer.json"]


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_packages_are_fetched_once(root: Path, tmp_path: Path) -> None:
    locked(root, "booster\n")
    said: list[str] = []
    lock_file = root / "exercises/imputation" / LOCK
    for _ in range(2):
        site = fetched(lock_file, "3.13", "x86_64", cache=tmp_path / "sites", say=said.append)
    assert (site / "booster.py").read_text() == "VERSION = '2.0'\n"
    assert said == ["fetching the packages of requirements.lock for Python 3.13"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "tag",
    ["manylinux1", "manylinux2010", "manylinux2014", "manylinux_2_25", "manylinux_2_36"],
)
def test_what_is_locked_can_be_fetched(index: Path, root: Path, tmp_path: Path, tag: str) -> None:
    write_wheel(index, "tagged", "1.0", tag=f"cp313-cp313-{tag}_x86_64")
    locked(root, "tagged\n")
    site = fetch(root, tmp_path)
    assert (site / "tagged.py").read_text() == "VERSION = '1.0'\n"


def for_one_architecture(index: Path) -> None:
    """Wheels of `tensors`, which differ by architecture, and of what each needs alone."""
    x86, arm = ("cp313-cp313-manylinux_2_28_" + name for name in ("x86_64", "aarch64"))
    write_wheel(index, "tensors", "1.0+cpu", tag=x86)
    write_wheel(index, "tensors", "1.0", tag=arm, needs=("cooler",))
    write_wheel(index, "cooler", "3.0")
    write_wheel(index, "compiled", "2.0", tag=x86)
    write_wheel(index, "compiled", "2.0", tag=arm)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_each_architecture_gets_its_own_packages(
    index: Path, root: Path, tmp_path: Path, architecture: str
) -> None:
    for_one_architecture(index)
    told = locked(root, "tensors\ncompiled\n")
    lock_file = root / "exercises/imputation" / LOCK
    site = fetch(root, tmp_path, architecture)

    modules = {path.stem for path in site.glob("*.py")}
    cooled = {"cooler"} if architecture == "aarch64" else set()
    assert modules == {"compiled", "tensors"} | cooled
    version = "1.0" if architecture == "aarch64" else "1.0+cpu"
    assert (site / "tensors.py").read_text() == f"VERSION = {version!r}\n"
    assert {name: read_packages(lock_file, "3.13", architecture)[name] for name in modules} == {
        "compiled": "2.0", "tensors": version, **dict.fromkeys(cooled, "3.0")
    }  # fmt: skip
    assert any("gets tensors 1.0" in line for line in told.warnings)


def test_candidates_install_what_all_architectures_have(index: Path, root: Path) -> None:
    for_one_architecture(index)
    locked(root, "tensors\ncompiled\n")
    exercise = load_exercise("imputation", root=root)

    pins = starter_files(exercise)["requirements.txt"].decode().splitlines()
    assert exercise.environment.fault == ""
    assert pins[-2:] == ["compiled==2.0", "tensors==1.0"]


def test_large_wheels_are_told_and_those_for_a_gpu(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = {
        "tensors": _Wheels("1.0", ("0" * 64,), 200_000_000),
        "nvidia-thing": _Wheels("1.0", ("1" * 64,), 500_000_000),
    }
    monkeypatch.setattr(_Resolver, "resolve", lambda *_, **__: wheels)
    (told,) = locked(root, "tensors\n").warnings
    assert "are 700 MB, 500 MB of it nvidia-thing" in told
    assert "500 MB are for a GPU, which the sandbox has not" in told


@pytest.mark.slow
def test_another_file_of_the_same_name_is_told(index: Path, root: Path, tmp_path: Path) -> None:
    locked(root, "helper\n")
    write_wheel(index, "helper", "0.5", needs=("more",))
    with pytest.raises(PrerequisiteError, match=r"other files than the lock pins\. Lock again"):
        fetch(root, tmp_path)


def test_a_wheel_for_a_newer_system_than_the_images_is_not_locked(index: Path, root: Path) -> None:
    write_wheel(index, "tagged", "1.0", tag="cp313-cp313-manylinux_2_37_x86_64")
    assert "no version of tagged has a wheel" in reason(root, "tagged\n")


@pytest.mark.slow
def test_packages_that_cannot_be_fetched_are_named(index: Path, root: Path, tmp_path: Path) -> None:
    locked(root, "booster\n")
    (index / "helper-0.5-py3-none-any.whl").unlink()
    with pytest.raises(PrerequisiteError) as caught:
        fetch(root, tmp_path)
    told = str(caught.value)
    assert "are not cached and cannot be fetched" in told
    assert "Missing: booster==2.0, helper==0.5" in told
    assert list((tmp_path / "sites").iterdir()) == []
