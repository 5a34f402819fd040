"""A model that is missing, damaged or of another version is refused when it is loaded.

The model here has few terms, so that the many loads are quick. A whole one is loaded and answers
before what is damaged is refused, and again after it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile

import numpy as np
import pytest
from data import CARD, assert_answers, sealed
from data import COMPACT as FILES
from data import COMPACT_MODEL as MODEL
from data import loaded as loaded_files
from data import model_files as changed_files

from grader.judge.errors import raises
from grader.wire.values import FileTree

MISSING = "What should an operator see when a file is not there?"
DAMAGED = "Try a file that was cut off, and one with a byte changed."
CARDS = "What if the card itself is damaged, or from another version?"
INSIDE = "A checksum only says that nothing changed. Does what is inside fit together?"


def loaded(solution):
    return loaded_files(solution, FILES)


def model_files(**changes):
    return changed_files(base=FILES, **changes)


@contextlib.contextmanager
def _whole_ones_load(solution):
    assert_answers(loaded(solution))
    yield
    assert_answers(loaded(solution))


class _Call:
    """What a pickle of it calls when it is loaded: the end of the process, which none refuses."""

    def __reduce__(self):
        return sys.exit, ("unpickled",)


def _with_objects(name):
    """A weights file in which the array `name` is a pickle that calls something."""
    buffer = io.BytesIO(FILES["weights.npz"])
    with zipfile.ZipFile(buffer) as archive:
        members = {item: archive.read(item) for item in archive.namelist()}
    member = io.BytesIO()
    np.save(member, np.array([_Call()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        for item, data in {**members, f"{name}.npy": member.getvalue()}.items():
            archive.writestr(zipfile.ZipInfo(item), data)  # no time of day: replays ask the same
    return sealed({**FILES, "weights.npz": buffer.getvalue()})


def _refused(solution, files, error=ValueError):
    with raises(error):
        solution.keep.load_pipeline(FileTree(dict(files)))


@pytest.mark.criterion("guard", sheet="model-folder", hint=MISSING)
def test_missing_folder(solution):
    """A folder that does not exist raises FileNotFoundError."""
    with _whole_ones_load(solution):
        folder = solution.make(FileTree({}))
        nowhere = solution.keep.call(folder.joinpath, "nowhere")
        with raises(FileNotFoundError):
            solution.keep.load_pipeline(nowhere)
        with raises(FileNotFoundError):
            solution.keep.load_pipeline(nowhere.as_posix())


@pytest.mark.criterion("guard", sheet="model-folder", hint=MISSING)
@pytest.mark.parametrize("name", sorted(FILES))
def test_missing_file(solution, name):
    """Each of the three files must be there, or FileNotFoundError is raised."""
    rest = {key: data for key, data in FILES.items() if key != name}
    with _whole_ones_load(solution):
        _refused(solution, rest, FileNotFoundError)


@pytest.mark.criterion("guard", sheet="damaged", hint=DAMAGED)
@pytest.mark.parametrize("name", ["vocabulary.txt", "weights.npz"])
def test_truncated_file(solution, name):
    """A file that was cut off, or is empty, raises ValueError."""
    with _whole_ones_load(solution):
        for size in (len(FILES[name]) - 1, len(FILES[name]) // 2, 0):
            _refused(solution, {**FILES, name: FILES[name][:size]})


@pytest.mark.criterion("guard", sheet="damaged", hint=DAMAGED)
def test_changed_weights(solution):
    """Weights that were exchanged for others raise ValueError."""
    with _whole_ones_load(solution):
        other = model_files(arrays={"coefficients": MODEL.weights.T[::-1]})
        _refused(solution, {**FILES, "weights.npz": other["weights.npz"]})


@pytest.mark.criterion("guard", sheet="damaged", hint=DAMAGED)
def test_changed_vocabulary(solution, rng):
    """A vocabulary with two lines exchanged raises ValueError."""
    with _whole_ones_load(solution):
        terms = list(MODEL.terms)
        left, right = (int(place) for place in rng.choice(len(terms), size=2, replace=False))
        terms[left], terms[right] = terms[right], terms[left]
        _refused(solution, {**FILES, "vocabulary.txt": ("\n".join(terms) + "\n").encode()})


@pytest.mark.criterion("guard", sheet="card", hint=CARDS)
def test_card_that_is_no_object(solution):
    """A card that is cut off, empty, not JSON or no object raises ValueError."""
    with _whole_ones_load(solution):
        text = FILES["card.json"]
        for data in (text[: len(text) // 2], b"", b"\xff\xfe\x00", b"[]", b"null", b'"card"', b"3"):
            _refused(solution, {**FILES, "card.json": data})


@pytest.mark.criterion("guard", sheet="card", hint=CARDS)
@pytest.mark.parametrize("name", sorted(CARD))
def test_card_without_an_entry(solution, name):
    """A card that lacks one of its entries raises ValueError, not KeyError."""
    with _whole_ones_load(solution):
        _refused(solution, sealed(FILES, {name: None}))


@pytest.mark.criterion("guard", sheet="card", hint=CARDS)
@pytest.mark.parametrize("name", ["vocabulary.txt", "weights.npz"])
def test_card_without_a_checksum(solution, name):
    """A card that lacks the checksum of a file raises ValueError."""
    with _whole_ones_load(solution):
        card = json.loads(FILES["card.json"])
        del card["sha256"][name]
        _refused(solution, {**FILES, "card.json": json.dumps(card).encode()})


@pytest.mark.criterion("guard", sheet="card", hint=CARDS)
def test_other_format_version(solution):
    """A format version other than 1 raises ValueError."""
    with _whole_ones_load(solution):
        for version in (0, 2, 99):
            _refused(solution, sealed(FILES, {"format_version": version}))


@pytest.mark.criterion("guard", sheet="weights", hint=INSIDE)
def test_weights_that_cannot_be_read(solution):
    """A weights file that is no archive of arrays raises ValueError, its checksum being right."""
    with _whole_ones_load(solution):
        for data in (b"", b"weights", b"PK\x03\x04" + b"\x00" * 40):
            _refused(solution, sealed({**FILES, "weights.npz": data}))


@pytest.mark.criterion("guard", sheet="weights", hint=INSIDE)
@pytest.mark.parametrize("name", ["idf", "coefficients", "intercept"])
def test_missing_array(solution, name):
    """A weights file that lacks an array raises ValueError."""
    with _whole_ones_load(solution):
        _refused(solution, model_files(arrays={name: None}))


@pytest.mark.criterion("core", sheet="no-pickle", hint=INSIDE)
def test_pickled_objects(solution):
    """Arrays of pickled objects are refused with ValueError, never loaded."""
    with _whole_ones_load(solution):
        for name, value in (("intercept", MODEL.intercept), ("idf", MODEL.idf)):
            _refused(solution, model_files(arrays={name: value.astype(object)}))


@pytest.mark.criterion("core", sheet="no-pickle", hint=INSIDE)
@pytest.mark.parametrize("name", ["intercept", "idf"])
def test_pickled_calls(solution, name):
    """What a pickled object in the weights would call is not called."""
    with _whole_ones_load(solution):
        _refused(solution, _with_objects(name))


@pytest.mark.criterion("guard", sheet="weights", hint=INSIDE)
def test_shapes_that_do_not_fit(solution):
    """Arrays that do not fit the vocabulary, the labels or each other raise ValueError."""
    with _whole_ones_load(solution):
        weights = MODEL.weights.T
        for arrays in (
            {"coefficients": weights[:, :-1]},
            {"coefficients": weights[:-1]},
            {"coefficients": MODEL.weights},
            {"intercept": MODEL.intercept[:-1]},
            {"idf": MODEL.idf[:-1]},
        ):
            _refused(solution, model_files(arrays=arrays))
        _refused(solution, model_files(terms=list(MODEL.terms)[:-1]))
        _refused(solution, sealed(FILES, {"labels": list(MODEL.labels)[:-1]}))
