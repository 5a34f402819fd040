"""Confidence means what the card says, and what is not confident goes to a person.

Tickets have one known token, so that weights and preprocessing are not charged here.
"""

from __future__ import annotations

import numpy as np
import pytest
from data import (
    CARD,
    FILES,
    MODEL,
    assert_probabilities,
    assert_works,
    batched,
    confidences_of,
    fallbacks_of,
    known_words,
    labels_of,
    loaded,
    predicted,
    sample,
    scores_of,
    sealed,
    table_of,
    unknown_word,
)

from grader.judge.calibration import (
    expected_calibration_error,
    measure_reliability,
    reliability_bins,
)
from grader.judge.compare import assert_value

SCALE = "What does the card say happens between scores and probabilities?"
MEANING = "Of the tickets answered with confidence 0.8, four in five should be right."
PERSON = "When does the card send a ticket to a person?"
SLACK = 0.02


@pytest.mark.criterion("calibration", sheet="calibrated", hint=SCALE)
def test_probabilities_are_calibrated(solution, rng):
    """Probabilities are those of the card's temperature, to 1e-6."""
    texts = known_words(rng, 40)
    assert_probabilities(predicted(solution, loaded(solution), texts), texts)


@pytest.mark.criterion("calibration", sheet="calibrated", hint=SCALE)
def test_temperature_is_the_cards(solution, rng):
    """A model with another temperature is served with that one."""
    texts = known_words(rng, 12)
    for temperature in (1.0, 6.25):
        pipeline = loaded(solution, sealed(FILES, {"temperature": temperature}))
        due = MODEL.calibrated(scores_of(texts) * CARD["temperature"] / temperature)
        gap = float(np.abs(table_of(predicted(solution, pipeline, texts)) - due).max())
        if not gap <= 1e-6:
            raise AssertionError(f"with temperature {temperature} they are off by up to {gap:.2g}")


@pytest.mark.criterion("calibration", sheet="calibrated", hint=SCALE)
def test_confidence_is_the_largest_probability(solution, rng):
    """The confidence is the label's probability, and probabilities add up to one."""
    texts = known_words(rng, 25)
    replies = predicted(solution, loaded(solution), texts)
    table, labels = table_of(replies), labels_of(replies)
    for k, (label, confidence) in enumerate(zip(labels, confidences_of(replies), strict=True)):
        of_label = table[k, MODEL.labels.index(label)] if label in MODEL.labels else -1.0
        if not (abs(of_label - confidence) <= 1e-9 and abs(confidence - table[k].max()) <= 1e-9):
            raise AssertionError(f"confidence {confidence:.6f} is not the label's {of_label:.6f}")
        if not abs(table[k].sum() - 1.0) <= 1e-9:
            raise AssertionError(f"probabilities add up to {table[k].sum():.9f}")
    assert_probabilities(replies, texts)


@pytest.mark.criterion("calibration", sheet="calibrated", hint=PERSON)
def test_batches_are_as_confident(solution, rng):
    """Confidence and fallback of a batch are those of its tickets, here of batches of one."""
    words = known_words(rng, 60)
    due = _below(MODEL.min_confidence, words)
    texts = [word for word, low in zip(words, due, strict=True) if low][:4]
    texts += [word for word, low in zip(words, due, strict=True) if not low][:4]
    pipeline = loaded(solution)
    replies = [reply for text in texts for reply in batched(solution, pipeline, [text])]
    assert_value(fallbacks_of(replies), _below(MODEL.min_confidence, texts), what="fallback")
    gap = np.abs(confidences_of(replies) - MODEL.calibrated(scores_of(texts)).max(axis=1))
    if not gap.max() <= 1e-6:
        raise AssertionError(f"confidence in a batch is off by up to {gap.max():.2g}")


@pytest.mark.criterion("calibration", sheet="calibrated", hint=MEANING)
def test_confidence_agrees_with_accuracy(solution, measure, rng, rng_for):
    """The expected calibration error on held-out tickets is that of the calibrated model."""
    texts, drawn = (part[:200] for part in sample(rng_for))
    replies = predicted(solution, loaded(solution), texts)
    got, truth = labels_of(replies), [ticket.label for ticket in drawn]
    right = np.array([got[k] == truth[k] for k in range(len(truth))])
    found = reliability_bins(confidences_of(replies), right)
    table = MODEL.calibrated(scores_of(texts))
    due = np.array([MODEL.labels[k] == truth[n] for n, k in enumerate(table.argmax(axis=1))])
    limit = expected_calibration_error(reliability_bins(table.max(axis=1), due)) + SLACK
    error = expected_calibration_error(found)
    measure("expected calibration error", error, "share", limit)
    measure_reliability(measure, found)
    off = sum(got[n] != MODEL.labels[k] for n, k in enumerate(table.argmax(axis=1)))
    if off > len(got) / 100:  # another model's answers: `core` charges that, here one word does
        words = known_words(rng, 20)
        assert_probabilities(predicted(solution, loaded(solution), words), words)
        return
    if not error <= limit:
        raise AssertionError(f"expected calibration error {error:.3f}, more than {limit:.3f}")


@pytest.mark.criterion("calibration", sheet="fallback", hint=PERSON)
def test_low_confidence_goes_to_a_person(solution, rng):
    """Fallback is set below the minimum confidence, and only there."""
    texts = known_words(rng, 60)
    due = _below(MODEL.min_confidence, texts)
    assert_value(len(set(due)), 2, what="kinds of tickets in this test")
    assert_value(fallbacks_of(predicted(solution, loaded(solution), texts)), due, what="fallback")


@pytest.mark.criterion("calibration", sheet="fallback", hint=PERSON)
def test_minimum_confidence_is_the_cards(solution, rng):
    """A model with another minimum confidence sends other tickets to a person."""
    texts = known_words(rng, 30)
    for limit in (0.0, 0.35, 0.8, 1.0):
        pipeline = loaded(solution, sealed(FILES, {"min_confidence": limit}))
        flags = fallbacks_of(predicted(solution, pipeline, texts))
        assert_value(flags, _below(limit, texts), what=f"fallback with a minimum of {limit}")


@pytest.mark.criterion("calibration", sheet="fallback", hint=PERSON)
def test_drifted_tickets_go_to_a_person(solution, measure, rng):
    """A batch in a language that the model never saw goes to people, one that it knows does not."""
    words = known_words(rng, 120)
    low, high = _below(0.45, words), _below(0.6, words)
    unsure = [word for word, is_low in zip(words, low, strict=True) if is_low][:25]
    foreign = [" ".join([word, *(unknown_word(rng, 5) for _ in range(9))]) for word in unsure]
    known = [word for word, is_low in zip(words, high, strict=True) if not is_low][:25]
    pipeline = loaded(solution)
    for name, texts in (("foreign", foreign), ("known", known)):
        flags, due = fallbacks_of(predicted(solution, pipeline, texts)), _below(0.5, texts)
        measure(
            f"sent to a person[{name}]",
            float(np.mean(flags)),
            "share",
            float(np.mean(due)),
            better="near",
        )
        assert_value(flags, due, what=f"fallback of {name} tickets")
    assert_works(solution, pipeline)


def _below(limit, texts):
    """Whether the calibrated confidence of each text is below a limit."""
    return [bool(value < limit) for value in MODEL.calibrated(scores_of(texts)).max(axis=1)]
