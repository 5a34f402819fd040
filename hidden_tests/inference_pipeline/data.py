"""The model folders and tickets that the hidden tests send, and the checks that several share.

Two kinds of tickets keep the criteria apart. A *plain* ticket is the tokens of a drawn one, joined
by spaces: preprocessing leaves it as it is, so an omitted step costs nothing there. A *one-word*
ticket has a single known token (after correct preprocessing): its vector has one entry, which is 1
whatever is done about counts, idf and pairs, so a slip in that arithmetic costs nothing there.
Where calibration is not the matter, probabilities are compared up to one temperature.
"""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import reference
import tickets

from grader.judge.compare import assert_finite, assert_kind, assert_value
from grader.judge.proxy import RemoteObject
from grader.wire.values import FileTree, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from grader.judge.channel import Stopwatch
    from grader.wire.frames import Measure

FILES = {
    name: (Path(__file__).parent / "model" / name).read_bytes()
    for name in ("card.json", "vocabulary.txt", "weights.npz")
}
CARD: dict[str, Any] = json.loads(FILES["card.json"])
MODEL = reference.Model.from_files(FILES)
FIELDS = ("label", "confidence", "probabilities", "fallback", "model_version")

# One ticket each that the model is sure of, for tests that need "it works at all" beside a check
# which doing nothing would pass.
PARCEL = "my parcel has not arrived yet"
INVOICE = "please send me corrected invoice with our vat number"


def model_files(
    *,
    card: Mapping[str, object] | None = None,
    arrays: Mapping[str, object] | None = None,
    terms: Sequence[str] | None = None,
    base: Mapping[str, bytes] = FILES,
) -> dict[str, bytes]:
    """The model folder `base` with other entries, arrays or terms, and right checksums again.

    An array of value None is left out, and so is such an entry of the card.
    """
    given = np.load(io.BytesIO(base["weights.npz"]))
    kept = {name: given[name] for name in given.files} | dict(arrays or {})
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in kept.items() if value is not None})
    files = dict(base)
    if arrays is not None:
        files["weights.npz"] = buffer.getvalue()
    if terms is not None:
        files["vocabulary.txt"] = ("\n".join(terms) + "\n").encode()
    return sealed(files, card)


def sealed(
    files: Mapping[str, bytes], card: Mapping[str, object] | None = None
) -> dict[str, bytes]:
    """A model folder whose card holds the checksums of `files`, and the entries of `card`."""
    sums = {
        name: hashlib.sha256(files[name]).hexdigest() for name in ("vocabulary.txt", "weights.npz")
    }
    entries = {**CARD, "sha256": sums, **(card or {})}
    kept = {name: value for name, value in entries.items() if value is not None}
    return {**files, "card.json": json.dumps(kept).encode()}


def _compact() -> dict[str, bytes]:
    """The model with few terms, quick to send and to load; it knows those two tickets."""
    found = [token for text in (PARCEL, INVOICE) for token in reference.tokens(text)]
    needed = {*found, *(f"{left} {right}" for left, right in itertools.pairwise(found))}
    kept = [term for k, term in enumerate(MODEL.terms) if term in needed or k % 50 == 0]
    columns = [MODEL.terms[term] for term in kept]
    arrays = {"idf": MODEL.idf[columns], "coefficients": MODEL.weights.T[:, columns]}
    return model_files(arrays=arrays, terms=kept)


COMPACT = _compact()
COMPACT_MODEL = reference.Model.from_files(COMPACT)


def loaded(solution: Any, files: Mapping[str, bytes] = FILES) -> Any:
    """A pipeline of a model folder, in the candidate's process."""
    return solution.keep.load_pipeline(FileTree(dict(files)))


def predicted(solution: Any, pipeline: Any, texts: Sequence[str]) -> list[object]:
    """What ``predict`` answers to each text, in one exchange."""
    answers: list[object] = solution.each(pipeline.predict, texts)
    return answers


def batched(solution: Any, pipeline: Any, texts: object, **options: object) -> list[object]:
    """All results of ``predict_batch``; a list will do here, laziness has a test of its own."""
    results = pipeline.predict_batch(texts, **options)
    if isinstance(results, list | tuple):
        return list(results)
    assert_kind(results, RemoteObject, "what predict_batch returns")
    items: list[object] = solution.items(results)
    return items


def field(reply: object, name: str) -> object:
    """One field of a result: of a record, a dict or an object that stayed there."""
    if isinstance(reply, RemoteObject):
        return getattr(reply, name)
    assert_kind(reply, (Record, dict), "a result")
    fields: Mapping[str, object] = reply.fields if isinstance(reply, Record) else reply
    if name not in fields:
        raise AssertionError(f"a result has no field {name}")
    return fields[name]


def label_of(reply: object) -> str:
    """The label, checked to be text."""
    label = field(reply, "label")
    assert_kind(label, str, "label")
    return str(label)


def labels_of(replies: Sequence[object]) -> list[str]:
    """The labels of several results."""
    return [label_of(reply) for reply in replies]


def probabilities_of(reply: object, labels: Sequence[str] = MODEL.labels) -> list[float]:
    """The probabilities in the order of `labels`, checked to be there and finite."""
    given = field(reply, "probabilities")
    assert_kind(given, dict, "probabilities")
    assert_value(sorted(map(str, given)), sorted(labels), what="the keys of probabilities")
    values = assert_finite([given[label] for label in labels], len(labels), "probabilities")
    return [float(value) for value in values]


def table_of(replies: Sequence[object], labels: Sequence[str] = MODEL.labels) -> reference.Vector:
    """The probabilities of n results, n by k."""
    return np.array([probabilities_of(reply, labels) for reply in replies])


def confidences_of(replies: Sequence[object]) -> reference.Vector:
    """The confidences of n results."""
    return assert_finite(
        [field(reply, "confidence") for reply in replies], len(replies), "confidence"
    )


def fallbacks_of(replies: Sequence[object]) -> list[bool]:
    """The fallback flags of several results, NumPy's or Python's."""
    flags = [field(reply, "fallback") for reply in replies]
    for flag in flags:
        assert_kind(flag, (bool, np.bool_), "fallback")
    return [bool(flag) for flag in flags]


@functools.cache
def _score(text: str) -> reference.Vector:
    scores: reference.Vector = MODEL.scores([text])[0]
    return scores


def scores_of(texts: Sequence[str]) -> reference.Vector:
    """The scores that are due, n by k; each ticket is worked out once in a run."""
    return np.array([_score(text) for text in texts])


def best_labels(texts: Sequence[str]) -> list[str]:
    """The labels that are due."""
    return [MODEL.labels[place] for place in scores_of(texts).argmax(axis=1)]


def assert_labels(replies: Sequence[object], texts: Sequence[str], what: str = "label") -> None:
    """Hold that the labels are the reference's, in their order; near-ties do not count."""
    scores = scores_of(texts)
    ordered = np.sort(scores, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-6
    due = [MODEL.labels[place] for place in scores.argmax(axis=1)]
    got = labels_of(replies)
    assert_value(len(got), len(due), what="number of results")
    odd = [k for k in range(len(due)) if clear[k] and got[k] != due[k]]
    if odd:
        raise AssertionError(
            f"{what}: {len(odd)} of {len(due)} differ, the first at {odd[0]}: expected "
            f"{due[odd[0]]!r}, got {got[odd[0]][:40]!r}"
        )


def assert_batch(replies: Sequence[object], texts: Sequence[str], what: str = "a batch") -> None:
    """Hold that a batch of plain tickets is answered; the order of results is `core`'s matter."""
    assert_value(sorted(labels_of(replies)), sorted(best_labels(texts)), what=f"labels of {what}")


def assert_same_up_to_temperature(
    replies: Sequence[object], texts: Sequence[str], what: str = "probabilities"
) -> None:
    """Hold that one temperature, whichever it is, gives all these probabilities.

    A temperature that is not the card's costs the criterion `calibration` only.
    """
    table, scores = table_of(replies), scores_of(texts)
    low, high = 0.02, 10.0
    for _ in range(6):  # a grid that closes in on the best scale
        scales = np.geomspace(low, high, 41)
        misses = [float(np.square(_softmax(scores * s) - table).sum()) for s in scales]
        best = int(np.argmin(misses))
        low, high = scales[max(best - 1, 0)], scales[min(best + 1, 40)]
    gap = np.abs(_softmax(scores * scales[best]) - table).max(axis=1)
    worst = int(gap.argmax())
    if not gap[worst] <= 2e-3:
        raise AssertionError(
            f"{what}: no temperature explains them; ticket {worst} is off by {gap[worst]:.3f}"
        )


def assert_probabilities(replies: Sequence[object], texts: Sequence[str]) -> None:
    """Hold that probabilities are the card's to 1e-6."""
    gap = np.abs(table_of(replies) - MODEL.calibrated(scores_of(texts))).max(axis=1)
    worst = int(gap.argmax())
    if not gap[worst] <= 1e-6:
        raise AssertionError(
            f"probabilities differ from the card's by up to {gap[worst]:.2g}, at ticket {worst}"
        )


def assert_answers(pipeline: Any) -> None:
    """The same with ``predict`` alone."""
    predict = pipeline.predict
    texts = [PARCEL, INVOICE]
    assert_value(labels_of([predict(text) for text in texts]), best_labels(texts), what="labels")


def assert_works(solution: Any, pipeline: Any) -> None:
    """Hold that two tickets get their labels, beside a check that doing nothing would pass."""
    assert_value([label_of(pipeline.predict(PARCEL))], best_labels([PARCEL]), what="a plain ticket")
    assert_batch(batched(solution, pipeline, [INVOICE, PARCEL]), [INVOICE, PARCEL])


@functools.cache
def _sample(seed: int) -> tuple[list[str], list[tickets.Ticket]]:
    return plain_tickets(np.random.default_rng(seed), 600)


def sample(rng_for: Callable[[str], np.random.Generator]) -> tuple[list[str], list[tickets.Ticket]]:
    """600 plain tickets and the drawn ones that they were made of, the same in each test."""
    return _sample(int(rng_for("tickets").integers(2**62)))


def cost_ratio(theirs: Sequence[Measure], ours: Stopwatch) -> float:
    """The cost of calls over that of the judge's own work: CPU time where it is known."""
    known = ours.cpu_ns > 0 and all(call.cpu_ns >= 0 for call in theirs)
    spent = sum(call.cpu_ns if known else call.wall_ns for call in theirs)
    return spent / max(ours.cpu_ns if known else ours.wall_ns, 1_000_000)


def plain_tickets(rng: np.random.Generator, count: int) -> tuple[list[str], list[tickets.Ticket]]:
    """Plain tickets, and the drawn ones that they were made of."""
    texts: list[str] = []
    drawn: list[tickets.Ticket] = []
    while len(drawn) < count:
        (ticket,) = tickets.draw_tickets(rng, 1)
        found = reference.tokens(ticket.text)
        if len(found) > 2:
            texts.append(" ".join(found))
            drawn.append(ticket)
    return texts, drawn


@functools.cache
def _telling_words() -> tuple[str, ...]:
    """Lower-case ASCII words of the vocabulary each of which moves the answer clearly."""
    words = [term for term in MODEL.terms if term.isascii() and term.isalpha() and len(term) > 4]
    rest = MODEL.calibrated(MODEL.intercept[np.newaxis])
    alone = MODEL.weights[[MODEL.terms[word] for word in words]] + MODEL.intercept
    moved = np.abs(MODEL.calibrated(alone) - rest).max(axis=1)
    return tuple(word for word, by in zip(words, moved, strict=True) if by > 0.15)


def known_words(rng: np.random.Generator, count: int) -> list[str]:
    """Different known words, by chance; alone, each moves some probability by 0.15 or more."""
    return [str(word) for word in rng.choice(_telling_words(), size=count, replace=False)]


def unknown_word(rng: np.random.Generator, length: int = 7) -> str:
    """A made-up word that is in no vocabulary."""
    return "zq" + "".join(rng.choice(list("bcdfghjklmnpqrstvwxz"), size=length))


def _softmax(scores: reference.Vector) -> reference.Vector:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: reference.Vector = powers / powers.sum(axis=1, keepdims=True)
    return result
