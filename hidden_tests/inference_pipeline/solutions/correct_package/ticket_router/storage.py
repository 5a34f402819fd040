"""Reading and checking a model folder."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ticket_router.errors import ModelInvalidError, ModelMissingError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

SUPPORTED_FORMAT = 1
_CARD = "card.json"
_VOCABULARY = "vocabulary.txt"
_WEIGHTS = "weights.npz"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The entries of `card.json`; their meaning is in the model card."""

    format_version: int
    name: str
    version: str
    labels: tuple[str, ...]
    temperature: float
    min_confidence: float
    max_tokens: int
    sha256: dict[str, str]

    @classmethod
    def from_json(cls, content: bytes) -> ModelCard:
        """Parse a card; entries that are not known are ignored."""
        try:
            entries = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ModelInvalidError(f"{_CARD} is not JSON") from error
        if not isinstance(entries, dict):
            raise ModelInvalidError(f"{_CARD} is not a JSON object")
        version = entries.get("format_version", SUPPORTED_FORMAT)
        if version != SUPPORTED_FORMAT:
            raise ModelInvalidError(f"format version {version!r} is not supported")
        try:
            known = {field.name: entries[field.name] for field in fields(cls)}
        except KeyError as error:
            raise ModelInvalidError(f"{_CARD} lacks the entry {error}") from error
        known["labels"] = tuple(known["labels"])
        return cls(**known)

    def verify(self, file_name: str, content: bytes) -> None:
        """Compare the content of a file with its checksum."""
        try:
            expected = self.sha256[file_name]
        except KeyError:
            raise ModelInvalidError(f"{_CARD} has no checksum for {file_name}") from None
        if hashlib.sha256(content).digest() != bytes.fromhex(expected):
            raise ModelInvalidError(f"the checksum of {file_name} is not the one in {_CARD}")


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The arrays of `weights.npz`."""

    idf: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]

    @classmethod
    def from_npz(cls, content: bytes) -> Weights:
        """Read the arrays; pickled objects are refused, also in arrays that are not needed."""
        try:
            archive = np.load(io.BytesIO(content), allow_pickle=False)
            arrays = {name: archive[name] for name in archive.files}
            return cls(**{f.name: arrays[f.name].astype(np.float64) for f in fields(cls)})
        except KeyError as error:
            raise ModelInvalidError(f"{_WEIGHTS} lacks the array {error}") from error
        except (
            AttributeError,  # a single array instead of an archive of arrays
            EOFError,
            NotImplementedError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise ModelInvalidError(f"{_WEIGHTS} cannot be read") from error

    def check_shapes(self, *, terms: int, labels: int) -> None:
        """Check that the arrays belong to so many terms and labels."""
        found = (self.idf.shape, self.coefficients.shape, self.intercept.shape)
        expected = ((terms,), (labels, terms), (labels,))
        if found != expected:
            raise ModelInvalidError(f"the shapes of {_WEIGHTS} are {found} and not {expected}")


def read_model(model_dir: str | os.PathLike[str]) -> tuple[ModelCard, tuple[str, ...], Weights]:
    """Read a folder once and check all of it: card, vocabulary and weights."""
    folder = Path(model_dir)
    card_content, vocabulary_content, weights_content = (
        _read(folder / name) for name in (_CARD, _VOCABULARY, _WEIGHTS)
    )
    card = ModelCard.from_json(card_content)
    card.verify(_VOCABULARY, vocabulary_content)
    card.verify(_WEIGHTS, weights_content)
    try:
        vocabulary = tuple(vocabulary_content.decode("utf-8").splitlines())
    except UnicodeDecodeError as error:
        raise ModelInvalidError(f"{_VOCABULARY} is not UTF-8") from error
    weights = Weights.from_npz(weights_content)
    weights.check_shapes(terms=len(vocabulary), labels=len(card.labels))
    return card, vocabulary, weights


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ModelMissingError(f"there is no file {path}") from error
