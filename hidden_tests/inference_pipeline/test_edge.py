"""Unusual input and other models, each decided by a row of the task sheet's table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from data import (
    CARD,
    FILES,
    INVOICE,
    MODEL,
    PARCEL,
    assert_answers,
    assert_batch,
    assert_labels,
    assert_same_up_to_temperature,
    assert_works,
    batched,
    best_labels,
    confidences_of,
    cost_ratio,
    fallbacks_of,
    field,
    known_words,
    label_of,
    loaded,
    model_files,
    plain_tickets,
    predicted,
    probabilities_of,
    scores_of,
    sealed,
    table_of,
    unknown_word,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.compare import assert_kind, assert_value
from grader.judge.errors import raises
from grader.wire.values import FileTree

INPUT = "What does the task sheet say about input that is no ordinary text?"
LONG = "How does your running time grow with the length of one ticket?"
TEXTS = "What may be given to predict_batch, and what is refused?"
JSON = "Could json.dumps write every field of the result?"
OTHER = "Which values of the card are written into your code?"
CLOSE = "What is compared with the minimum confidence?"
CONTROLS = "Which characters have the Unicode category Cc?"
LIMIT = "Of which tokens are pairs made?"
SHARP = "How large can a score over its temperature be, and what is its exponential?"
HIGH = 7.5  # a score whose power at a temperature of 0.01 is beyond floats
LONGEST = 30.0  # times the reference: correct solutions need up to 3, a square of the length 300
NOT_TEXT = (None, float("nan"), 7, 2.5, True, b"parcel", ["parcel"], {"text": "parcel"})


@pytest.mark.criterion("edge", sheet="any-text", hint=INPUT)
def test_tickets_that_say_nothing(solution, rng):
    """Empty and blank tickets, emoji and unknown words get an answer, not an error."""
    texts = [
        "",
        " ",
        "\t\r\n",
        "\u00a0\u2003",
        "🙂",
        "👩‍💻👍🏽",
        "...",
        "-",
        "?!",
        unknown_word(rng),
    ]
    pipeline = loaded(solution)
    replies = predicted(solution, pipeline, texts)
    assert_labels(replies, texts)
    assert_same_up_to_temperature(replies, texts)
    assert_batch(batched(solution, pipeline, texts), texts)
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="any-text", hint=LIMIT)
def test_no_pair_crosses_the_limit_of_tokens(solution, rng):
    """The last token that is read and the first that is not are no pair of a long ticket.

    Where a token beyond the limit is read alone, that is another line.
    """
    pairs = [term for term in MODEL.terms if " " in term and term.isascii()]
    terms = [str(term) for term in rng.choice(pairs, size=20, replace=False)]
    padding = [unknown_word(rng) for _ in range(MODEL.max_tokens - 1)]
    pipeline = loaded(solution)
    beyond = [" ".join([*padding, padding[0], word]) for word in known_words(rng, 12)]
    if _are_right(solution, pipeline, beyond):
        texts = [" ".join([*padding, term]) for term in terms]
        assert_same_up_to_temperature(predicted(solution, pipeline, texts), texts)
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="any-text", hint=CONTROLS)
def test_control_characters_beyond_ascii(solution, rng):
    """U+0080 to U+009F are control characters too, and part words as the others do.

    Where those of ASCII do not, that is another line.
    """
    words = known_words(rng, 6)
    pipeline = loaded(solution)
    usual, rare = ([f"www.{char}{word}" for word in words] for char in "\x07\x9b")
    if _are_right(solution, pipeline, usual):
        assert_same_up_to_temperature(predicted(solution, pipeline, rare), rare)
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="not-text", hint=INPUT)
def test_what_is_no_text_is_refused(solution):
    """None, NaN, numbers, bytes and containers raise TypeError."""
    pipeline = loaded(solution)
    for value in NOT_TEXT:
        with raises(TypeError):
            pipeline.predict(value)
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="any-text", hint=LONG)
def test_very_long_tickets(solution, measure, rng):
    """10,000 characters, in words and without a single space, cost as many short tickets do."""
    (word,) = known_words(rng, 1)
    padding = unknown_word(rng, 40)
    texts = [
        f"{word} " + f"{padding} " * 240,
        f"{word} " + padding * 240,
        f"{word} " + "<" * 5_000 + "&" * 5_000,
    ]
    pipeline = loaded(solution)
    assert_answers(pipeline)
    predict = pipeline.predict
    with solution.stopwatch() as ours:
        MODEL.scores(texts)
    replies = solution.each(predict, texts)
    ratio = cost_ratio([solution.last], ours)
    assert_labels(replies, texts)
    measure("cost of long tickets", ratio, "times the reference", LONGEST, volatile=True)
    if not ratio <= LONGEST:
        raise AssertionError(f"long tickets cost more than {LONGEST:.0f} times the reference")


@pytest.mark.criterion("edge", sheet="any-text", hint=INPUT)
@settings(max_examples=12)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=5))
def test_any_text_gets_an_answer(solution, pipeline, texts):
    """Whatever characters a ticket holds, the answer is one of the labels, with its probability."""
    asked = pipeline()
    for reply in [*predicted(solution, asked, texts), *batched(solution, asked, texts)]:
        values = probabilities_of(reply)
        if not (min(values) >= 0.0 and abs(sum(values) - 1.0) <= 1e-2):
            raise AssertionError(f"probabilities are no shares of one: {values}")
        assert_value(label_of(reply), MODEL.labels[int(np.argmax(values))], what="label")


@pytest.mark.criterion("edge", sheet="texts", hint=TEXTS)
def test_any_iterable_of_texts(solution, rng):
    """A tuple, a Series, an array and a generator are taken as a list is."""
    texts = known_words(rng, 9)
    pipeline = loaded(solution)
    for given_texts in (tuple(texts), pd.Series(texts, index=range(50, 59)), np.array(texts)):
        replies = batched(solution, pipeline, given_texts, batch_size=4)
        assert_batch(replies, texts, type(given_texts).__name__)
    results = solution.keep.call(pipeline.predict_batch, iter(texts), batch_size=4)
    assert_batch(list(results), texts, "a generator")


@pytest.mark.criterion("edge", sheet="texts", hint=TEXTS)
def test_no_texts_no_results(solution):
    """Empty lists and generators give no results and no error."""
    pipeline = loaded(solution)
    assert_value(len(batched(solution, pipeline, [])), 0, what="results of an empty list")
    results = solution.keep.call(pipeline.predict_batch, iter(()))
    assert_value(len(list(results)), 0, what="results of an empty generator")
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="texts", hint=TEXTS)
def test_a_list_of_letters_is_a_batch(solution):
    """A list whose texts are single letters gets a result for each of them."""
    texts = ["a", "b", "c"]
    assert_batch(batched(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("edge", sheet="texts", hint=TEXTS)
def test_a_single_text_is_no_batch(solution):
    """A str, bytes and what cannot be iterated over raise TypeError."""
    pipeline = loaded(solution)
    for value in (PARCEL, "", PARCEL.encode(), b"", None, 5):
        with raises(TypeError):
            batched(solution, pipeline, value)
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="texts", hint=TEXTS)
def test_an_element_that_is_no_text_is_found(solution, rng):
    """An element that is no str raises TypeError, and the message says which one it is."""
    pipeline = loaded(solution)
    texts, _ = plain_tickets(rng, 40)
    for place, value in ((0, None), (17, float("nan")), (26, b"parcel"), (39, 4)):
        mixed = [*texts[:place], value, *texts[place + 1 :]]
        for size in (8, 64):
            with raises(TypeError, match=rf"(?<!\d)(?<![\s(\[=:]-){place}(?!\d)"):
                batched(solution, pipeline, mixed, batch_size=size)
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="texts", hint=TEXTS)
def test_odd_batch_sizes_are_refused(solution):
    """batch_size below 1 raises ValueError, what is no int TypeError."""
    pipeline = loaded(solution)
    for texts, size in (([PARCEL], 0), ([PARCEL], -1), ([], 0)):
        with raises(ValueError):
            batched(solution, pipeline, texts, batch_size=size)
    for size in (2.0, "8", None):
        with raises(TypeError):
            batched(solution, pipeline, [PARCEL], batch_size=size)
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="json", hint=JSON)
def test_fields_are_plain(solution):
    """All fields are what json.dumps takes, and probabilities are in the card's order."""
    pipeline = loaded(solution)
    for reply in (pipeline.predict(PARCEL), *batched(solution, pipeline, [PARCEL])):
        assert_value(label_of(reply), best_labels([PARCEL])[0], what="label")
        assert_kind(field(reply, "confidence"), float, "confidence")
        assert_kind(field(reply, "fallback"), bool, "fallback")
        assert_kind(field(reply, "model_version"), str, "model_version")
        given = field(reply, "probabilities")
        assert_kind(given, dict, "probabilities")
        for name, value in given.items():
            assert_kind(name, str, "a key of probabilities")
            assert_kind(value, float, f"probability of {name}")
        assert_value([str(name) for name in given], list(MODEL.labels), what="order of them")


@pytest.mark.criterion("edge", sheet="any-model", hint=OTHER)
def test_another_model_is_served_by_its_own_card(solution, rng):
    """A model with other labels, fewer terms and another version is served as its card says."""
    order = [int(place) for place in rng.permutation(len(MODEL.labels))[:5]]
    terms = list(MODEL.terms)
    columns = np.sort(rng.choice(len(terms), size=len(terms) // 2, replace=False))
    names = [f"queue {place}" for place in order]
    kept = [terms[column] for column in columns]
    arrays = {
        "idf": MODEL.idf[columns],
        "coefficients": MODEL.weights.T[order][:, columns],
        "intercept": MODEL.intercept[order],
    }
    files = model_files(
        card={"labels": names, "version": "7.0-rc.1", "name": "other"}, arrays=arrays, terms=kept
    )
    texts = [term for term in kept if term.isascii() and term.isalpha()][:40]
    scores = arrays["coefficients"].T[[kept.index(text) for text in texts]] + arrays["intercept"]
    due = [names[place] for place in scores.argmax(axis=1)]
    replies = predicted(solution, loaded(solution, files), texts)
    assert_value([label_of(reply) for reply in replies], due, what="labels")
    versions = [str(field(reply, "model_version")) for reply in replies]
    assert_value(versions, ["7.0-rc.1"] * len(texts), what="model_version")
    for reply in replies:
        probabilities_of(reply, names)


@pytest.mark.criterion("edge", sheet="any-model", hint=SHARP)
def test_a_model_with_a_low_temperature(solution, rng):
    """With a temperature of 0.01, powers of the scores are no floats; probabilities are."""
    words = known_words(rng, 200)
    high = scores_of(words).max(axis=1) > HIGH
    texts = [word for word, is_high in zip(words, high, strict=True) if is_high][:12]
    pipeline = loaded(solution, model_files(card={"temperature": 0.01}))
    replies = predicted(solution, pipeline, texts)
    assert_labels(replies, texts)
    off = float(np.abs(table_of(replies).sum(axis=1) - 1.0).max())
    if not off <= 0.01:  # rounded ones are another line
        raise AssertionError(f"probabilities add up to a number that is {off:.2g} off 1")
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="any-model", hint=CLOSE)
def test_confidence_close_to_the_minimum(solution, rng):
    """A confidence one ten-thousandth below the minimum is below it, one above it is not.

    Where it is another confidence, or a minimum is not kept by a twentieth, another line is broken.
    """
    pipeline = loaded(solution)
    texts = _unsure(rng)[:5]
    confidences = MODEL.calibrated(scores_of(texts)).max(axis=1)
    told = confidences_of(predicted(solution, pipeline, texts))

    kept = _falls_back(solution, texts[0], confidences[0], 0.05)
    if kept and float(np.abs(told - confidences).max()) <= 1e-6:
        for text, confidence in zip(texts, confidences, strict=True):
            if not _falls_back(solution, text, confidence, 1e-4):
                raise AssertionError("fallback is wrong for a confidence close to the minimum")
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="any-text", hint=INPUT)
def test_fallback_of_a_ticket_without_known_words(solution, rng):
    """What says nothing has a confidence too, and the minimum decides on it as on any other.

    Where it has another confidence, or the minimum of a plain ticket is not kept, another line is
    broken.
    """
    pipeline = loaded(solution)
    texts = [unknown_word(rng), "", _unsure(rng)[0]]
    confidences = MODEL.calibrated(scores_of(texts)).max(axis=1)
    told = confidences_of(predicted(solution, pipeline, texts))
    kept = _falls_back(solution, texts[-1], confidences[-1], 0.05)
    if kept and float(np.abs(told - confidences).max()) <= 1e-6:
        for text, confidence in zip(texts, confidences, strict=True):
            if not _falls_back(solution, text, confidence, 0.05):
                raise AssertionError(f"fallback of {text!r} is not decided by the minimum")
    assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="any-model", hint=OTHER)
def test_version_of_the_model(solution):
    """model_version is the version of the model that answered."""
    for version in (CARD["version"], "0.0.1"):
        pipeline = loaded(solution, model_files(card={"version": version}))
        for reply in (pipeline.predict(PARCEL), *batched(solution, pipeline, [PARCEL])):
            assert_value(str(field(reply, "model_version")), version)
        assert_works(solution, pipeline)


@pytest.mark.criterion("edge", sheet="model-folder", hint=INPUT)
def test_model_dir_may_be_text_and_hold_more(solution):
    """model_dir may be a str, and files that the card does not name are ignored."""
    tree = FileTree({**FILES, "MODEL_CARD.md": b"# card", "old/weights.npz": b"old"})
    folder = solution.make(tree)
    for place in (folder, folder.as_posix()):
        pipeline = solution.keep.load_pipeline(place)
        assert_batch(batched(solution, pipeline, [INVOICE, PARCEL]), [INVOICE, PARCEL])


def _are_right(solution, pipeline, texts):
    """Whether these tickets get the model's probabilities, where that is another line's matter."""
    try:
        assert_same_up_to_temperature(predicted(solution, pipeline, texts), texts)
    except AssertionError:
        return False
    return True


def _unsure(rng):
    """Known words whose confidence is so far from 0 and 1 that a minimum near it is one, too."""
    words = known_words(rng, 60)
    confidences = MODEL.calibrated(scores_of(words)).max(axis=1)
    return [word for word, at in zip(words, confidences, strict=True) if 0.2 < at < 0.9]


def _falls_back(solution, text, confidence, step):
    """Whether `text` falls back with a minimum `step` above its confidence, and not below it."""
    flags = []
    for limit in (float(confidence) + step, float(confidence) - step):
        pipeline = loaded(solution, sealed(FILES, {"min_confidence": limit}))
        flags += fallbacks_of(predicted(solution, pipeline, [text]))
    return flags == [True, False]
