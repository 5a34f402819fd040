"""Plain tickets get the label and the probabilities that the card's arithmetic gives.

All tickets here are plain, and probabilities are compared up to a temperature. Tests of batches use
one-word tickets, so that a slip in the weights does not cost these too.
"""

from __future__ import annotations

import numpy as np
import pytest
from data import (
    MODEL,
    PARCEL,
    assert_labels,
    assert_same_up_to_temperature,
    batched,
    known_words,
    loaded,
    predicted,
    sample,
    table_of,
    unknown_word,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.compare import assert_value

LABEL = "Work out the label of a short ticket by hand, with the steps of the model card."
WEIGHTS = "How does the card say that terms are counted, weighted and normalised?"
BATCH = "Compare predict_batch with predict, ticket by ticket."
_WORDS = sorted(term for term in MODEL.terms if term.isascii() and term.isalpha())


@pytest.mark.criterion("core", sheet="arithmetic", hint=LABEL)
def test_labels_of_plain_tickets(solution, rng_for):
    """150 held-out tickets, already clean, get the labels that the model gives."""
    texts = sample(rng_for)[0][:150]
    assert_labels(predicted(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("core", sheet="arithmetic", hint=WEIGHTS)
def test_probabilities_of_plain_tickets(solution, rng_for):
    """The probabilities of 80 clean tickets are the model's, up to one temperature."""
    texts = sample(rng_for)[0][:80]
    assert_same_up_to_temperature(predicted(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("core", sheet="arithmetic", hint=WEIGHTS)
def test_repeated_words(solution, rng):
    """A word that occurs n times weighs 1 + ln n times its idf."""
    pairs = [known_words(rng, 2) for _ in range(12)]
    texts = [" ".join([left] * times + [right]) for left, right in pairs for times in (1, 3, 9)]
    assert_same_up_to_temperature(predicted(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("core", sheet="arithmetic", hint=WEIGHTS)
def test_pairs_of_words(solution, rng):
    """Neighbouring words are terms of their own, so their order counts."""
    terms = [term for term in MODEL.terms if " " in term and term.isascii()]
    chosen = [str(term) for term in rng.choice(terms, size=30, replace=False)]
    texts = [*chosen, *(" ".join(reversed(term.split())) for term in chosen)]
    assert_same_up_to_temperature(predicted(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("core", sheet="arithmetic", hint=WEIGHTS)
def test_unknown_words_are_left_out(solution, rng):
    """Words that are not in the vocabulary take no part, also not in the vector's length.

    They still stand between their neighbours, which are no pair.
    """
    texts = []
    for _ in range(12):
        left, right = known_words(rng, 2)
        texts.append(f"{unknown_word(rng)} {left} {unknown_word(rng)} {right} {unknown_word(rng)}")
    pairs = [term for term in MODEL.terms if " " in term and term.isascii()]
    for pair in rng.choice(pairs, size=12, replace=False):
        left, right = str(pair).split()
        texts.append(f"{left} {unknown_word(rng)} {right}")
    assert_same_up_to_temperature(predicted(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("core", sheet="batches", hint=BATCH)
def test_batches_keep_number_and_order(solution, rng):
    """150 tickets in batches of 32 give 150 labels, each at its place."""
    texts = known_words(rng, 150)
    assert_labels(batched(solution, loaded(solution), texts, batch_size=32), texts)


@pytest.mark.criterion("core", sheet="batches", hint=BATCH)
def test_batch_equals_single(solution, rng):
    """A ticket gets the same probabilities alone, in small batches and in one large batch."""
    texts = known_words(rng, 23)
    pipeline = loaded(solution)
    alone = table_of(predicted(solution, pipeline, texts))
    for size in (1, 7, 23, 1000):
        replies = batched(solution, pipeline, texts, batch_size=size)
        assert_value(len(replies), len(texts), what=f"number of results with batch_size={size}")
        gap = float(np.abs(table_of(replies) - alone).max())
        if not gap <= 1e-9:
            raise AssertionError(f"with batch_size={size} probabilities move by up to {gap:.2g}")
    assert_labels(predicted(solution, pipeline, texts), texts)


@pytest.mark.criterion("core", sheet="batches", hint=BATCH)
def test_batch_has_a_default_size(solution, rng):
    """Without batch_size, and with equal tickets among them, nothing is lost or merged."""
    texts = known_words(rng, 60)
    texts = [*texts, PARCEL, *texts, PARCEL, PARCEL]
    assert_labels(batched(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("core", sheet="arithmetic", hint=LABEL)
@settings(max_examples=10)
@given(st.lists(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=12), min_size=1, max_size=4))
def test_any_known_words(solution, pipeline, word_lists):
    """Whatever known words come together, label and probabilities are the model's."""
    texts = [" ".join(words) for words in word_lists]
    replies = predicted(solution, pipeline(), texts)
    assert_labels(replies, texts)
    assert_same_up_to_temperature(replies, texts)
