"""The model sees what it saw in training: one test for each step of the card.

Tickets hold one known token once all steps are done, and probabilities are compared up to a
temperature, so that neither weights nor calibration are charged here.
"""

from __future__ import annotations

import html
import unicodedata

import numpy as np
import pytest
import reference
from data import (
    MODEL,
    assert_same_up_to_temperature,
    best_labels,
    known_words,
    label_of,
    loaded,
    model_files,
    predicted,
    sample,
    unknown_word,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.calibration import macro_f1, measure_slices, slice_accuracy
from grader.judge.compare import assert_value
from grader.judge.errors import JudgeFault

STEPS = "Compare your preprocessing with the card, step by step, on a ticket that needs the step."
SLICES = "Measure your accuracy on the sample by language, channel and category."
SLACK = 0.1
_TELLING = [
    word
    for word in MODEL.terms
    if word.isascii() and word.isalpha() and len(word) > 4 and MODEL.idf[MODEL.terms[word]] > 2
]


def _check(solution, texts, *, known=1, pipeline=None):
    """Hold that these tickets, each of `known` known tokens, get the model's probabilities."""
    for text in texts:
        found = [token for token in reference.tokens(text) if token in MODEL.terms]
        if len(found) != known:
            raise JudgeFault(f"not a ticket of {known} known tokens: {text[:80]!a} gives {found}")
    if pipeline is None:
        pipeline = loaded(solution)
    assert_same_up_to_temperature(predicted(solution, pipeline, texts), texts)


@pytest.mark.criterion("skew", sheet="text-steps", hint=STEPS)
def test_tags(solution, rng):
    """Step 1: tags are replaced by a space, their names and attributes are not read."""
    texts = []
    for _ in range(8):
        word, other = known_words(rng, 2)
        texts += [
            f'<a href="{other}" title="{other}">{word}</a>',
            f"<{other}>{word}<br/>{unknown_word(rng)}</{other}>",
            f"{word}<i>{unknown_word(rng)}",
            f"{unknown_word(rng)} < {word} <b>{unknown_word(rng)}</b>",  # the first is no tag's
        ]
    texts.append(f"<img src={'x' * 40_000}>{known_words(rng, 1)[0]}")  # long before its first word
    _check(solution, texts)


@pytest.mark.criterion("skew", sheet="text-steps", hint=STEPS)
def test_references(solution, rng):
    """Step 2: character references are decoded, once, and after the tags are gone."""
    texts = []
    for _ in range(8):
        (word,) = known_words(rng, 1)
        numbered = "".join(f"&#{ord(char)};" for char in word)
        texts += [numbered, f"&lt;{word}&gt;", f"{word}&nbsp;&amp;{unknown_word(rng)}"]
        texts += [f"{word[:2]}{hidden}{word[2:]}" for hidden in ("&shy;", "&#8203;")]
    texts += ["p&auml;ckchen", "geb&uuml;hr", "gr&ouml;&szlig;e"]
    _check(solution, texts)


@pytest.mark.criterion("skew", sheet="text-steps", hint=STEPS)
def test_normal_forms(solution, rng):
    """Step 3: compatibility and decomposed forms are the word that they stand for."""
    words = known_words(rng, 12)
    wide = ["".join(chr(ord(char) + 0xFEE0) for char in word) for word in words]
    bold = ["".join(chr(ord(char) - 0x61 + 0x1D400) for char in word) for word in words]
    german = [unicodedata.normalize("NFD", word) for word in ("päckchen", "gebühr", "größe")]
    _check(solution, [*wide, *bold, *german])  # bold ones are capitals once they are letters


@pytest.mark.criterion("skew", sheet="text-steps", hint=STEPS)
def test_control_and_format_characters(solution, rng):
    """Step 4: format characters vanish inside a word, control characters part words."""
    texts = []
    for _ in range(8):
        (word,) = known_words(rng, 1)
        texts += [f"{word[:2]}{char}{word[2:]}" for char in "\u00ad\u200b\ufeff\u2060"]
        texts.append(f"mail\u00ad{unknown_word(rng)} \x07 {word}\x00\x1b")
        # Before it is a blank, a control character would belong to what follows "www.".
        texts += [f"www.{char}{word}" for char in "\x07\x1f"]
        for char in "\n\t\x07\x1f\x85":
            texts.append(f"{unknown_word(rng)}{char}{word}{char}{unknown_word(rng)}")
    _check(solution, texts)


@pytest.mark.criterion("skew", sheet="text-steps", hint=STEPS)
def test_case(solution, rng):
    """Step 5: case is folded, which does more than lower case."""
    words = known_words(rng, 12)
    texts = [*(word.upper() for word in words), *(word.title() for word in words)]
    _check(solution, [*texts, "Straße", "STRASSE", "Größe", "GRÖẞE", "weiß"])


@pytest.mark.criterion("skew", sheet="masks", hint=STEPS)
def test_web_addresses(solution, rng):
    """Step 6: a web address is one word, whatever stands in it."""
    texts = []
    for _ in range(8):
        word, other = known_words(rng, 2)
        host = unknown_word(rng)
        texts += [
            f"https://{host}.example.com/{word}/{other}?{word}=1",
            f"WWW.{host}.example/{word}",
            f"http://{host}.example.com/{word}",
            f"(https://{host}/{word})",  # begins within a word, so it stays as it is
            f"https://{host}.example.com/@{word}",
        ]
    _check(solution, texts)


@pytest.mark.criterion("skew", sheet="masks", hint=STEPS)
def test_mail_addresses(solution, rng):
    """Step 7: a mail address is one word, whatever stands in it."""
    texts = []
    for _ in range(8):
        word, other = known_words(rng, 2)
        texts += [f"{word}.{other}@example.com", f"<{word}> {other}+{word}@{word}.example.org,"]
        texts.append(f"{other}@x{word}")  # all of what follows the sign belongs to it
    _check(solution, texts)


@pytest.mark.criterion("skew", sheet="masks", hint=STEPS)
def test_numbers(solution, rng):
    """Step 8: a run of digits is one word, of any script and length."""
    numbers = [str(int(number)) for number in rng.integers(1, 10**9, size=12)]
    words = [unknown_word(rng) for _ in numbers]
    pairs = list(zip(numbers, words, strict=True))
    glued = [text for number, word in pairs for text in (number + word, word + number)]
    _check(solution, [*numbers, "٤٢", *glued])


@pytest.mark.criterion("skew", sheet="tokens", hint=STEPS)
def test_tokens_after_the_limit_are_not_read(solution, rng):
    """Step 9: only as many tokens as in training are read, counted before unknown ones go."""
    texts = []
    padding = [unknown_word(rng) for _ in range(MODEL.max_tokens - 1)]
    for _ in range(8):
        word, other = known_words(rng, 2)
        texts.append(" ".join([word, *padding, other, other, other]))
        texts.append(" ".join([*padding, word, other, other]))
    _check(solution, texts)


@pytest.mark.criterion("skew", sheet="tokens", hint=STEPS)
def test_number_of_tokens_is_the_cards(solution, rng):
    """Another max_tokens in the card is the one that counts."""
    pairs = [known_words(rng, 2) for _ in range(10)]
    texts = [
        " ".join([left, *(unknown_word(rng) for _ in range(9)), *[right] * 30])
        for left, right in pairs
    ]
    pipeline = loaded(solution, model_files(card={"max_tokens": 10}))
    replies = predicted(solution, pipeline, texts)
    due = best_labels([left for left, _ in pairs])
    assert_value([label_of(reply) for reply in replies], due, what="labels")


@pytest.mark.criterion("skew", sheet="tokens", hint=STEPS)
def test_single_letters_are_no_tokens(solution, rng):
    """Step 9: tokens have at least two characters, and an underscore is one."""
    texts = [f"{word} a i {word[0]}_{word} _{word}" for word in known_words(rng, 12)]
    _check(solution, texts)


@st.composite
def _disguised(draw):
    """A known word in capitals, full width, references or with invisible characters."""
    word = draw(st.sampled_from(_TELLING))
    kind = draw(st.sampled_from(["upper", "wide", "references", "hyphen", "tagged", "plain"]))
    place = draw(st.integers(1, len(word) - 1))
    return {
        "upper": word.upper(),
        "wide": "".join(chr(ord(char) + 0xFEE0) for char in word),
        "references": f"{html.escape('<')}{word[:place]}&#{ord(word[place])};{word[place + 1 :]}",
        "hyphen": f"{word[:place]}\u00ad{word[place:]}",
        "tagged": f"<p>{word}</p>",
        "plain": word,
    }[kind]


@pytest.mark.criterion("skew", sheet="text-steps", hint=STEPS)
@settings(max_examples=10)
@given(st.lists(_disguised(), min_size=1, max_size=6))
def test_any_disguise(solution, pipeline, texts):
    """Whatever form a known word comes in, the model sees the word."""
    _check(solution, texts, pipeline=pipeline())


@pytest.mark.criterion("skew", sheet="text-steps", hint=SLICES)
def test_accuracy_of_every_slice(solution, measure, rng_for):
    """Raw tickets are sorted as well as the model can, in each category, language and channel."""
    plain, drawn = sample(rng_for)
    texts = [ticket.text for ticket in drawn]
    replies = predicted(solution, loaded(solution), texts)
    truth = [ticket.label for ticket in drawn]
    answered = [label_of(reply) for reply in replies]
    due = best_labels(plain)  # the same tokens
    right = np.array([answered[k] == truth[k] for k in range(len(truth))])
    best = np.array([due[k] == truth[k] for k in range(len(truth))])
    measure(
        "accuracy", float(right.mean()), "share right", float(best.mean()) - SLACK, better="high"
    )
    measure(
        "macro_f1", macro_f1(truth, answered), "F1", macro_f1(truth, due) - SLACK, better="high"
    )
    low = []
    for name, groups in (
        ("category", truth),
        ("language", [ticket.language for ticket in drawn]),
        ("channel", [ticket.channel for ticket in drawn]),
    ):
        values, yardstick = slice_accuracy(right, groups), slice_accuracy(best, groups)
        limits = {point: value - SLACK for point, value in yardstick.items()}
        measure_slices(measure, f"accuracy by {name}", values, limits)
        low += [point for point, value in values.items() if not value >= limits[point]]
    if low:
        raise AssertionError(f"more than {SLACK} below what the model reaches on: {', '.join(low)}")
