"""A few examples of what is asked for. The hidden tests ask for more: see README.md."""

import csv
import shutil
from itertools import islice
from pathlib import Path

import pytest

from solution import load_pipeline

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "model"


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline(MODEL)


@pytest.fixture(scope="module")
def tickets():
    with (ROOT / "data" / "tickets.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def field(result, name):
    """A field of a dataclass, a named tuple or a dict."""
    return result[name] if isinstance(result, dict) else getattr(result, name)


# What the model gives, worked out by those who trained it.
@pytest.mark.parametrize(
    ("text", "label", "confidence"),
    [
        ("My parcel has not arrived yet.", "delivery", 0.994800832),
        ("Please cancel my plan: https://shop.example.com/plan/77", "cancellation", 0.816452851),
        ("Invoice 4711 is wrong, write to kim@example.com!", "account", 0.496503049),
        (
            "<p>Ich m&ouml;chte die Bestellung A-48213 zur&uuml;ckgeben, "
            "die Gr&ouml;&szlig;e passt nicht.</p>",
            "returns",
            0.939168321,
        ),
        ("", "delivery", 0.228060860),
    ],
)
def test_answers_that_are_known(pipeline, text, label, confidence):
    result = pipeline.predict(text)

    assert field(result, "label") == label
    assert field(result, "confidence") == pytest.approx(confidence, abs=1e-6)
    assert field(result, "probabilities")[label] == pytest.approx(confidence, abs=1e-6)
    assert field(result, "fallback") is (confidence < 0.5)
    assert field(result, "model_version") == "2.3.1"


def test_accuracy_on_the_sample(pipeline, tickets):
    results = pipeline.predict_batch([ticket["text"] for ticket in tickets])

    right = [
        field(result, "label") == ticket["label"]
        for result, ticket in zip(results, tickets, strict=True)
    ]
    assert sum(right) == 361, "of 400; the card promises 0.91, give or take chance"


def test_a_batch_may_have_no_end(pipeline):
    def endless():
        while True:
            yield "My parcel has not arrived yet."

    results = list(islice(pipeline.predict_batch(endless(), batch_size=4), 10))

    assert [field(result, "label") for result in results] == ["delivery"] * 10


def test_a_changed_file_is_refused(tmp_path):
    shutil.copytree(MODEL, tmp_path / "model")
    with (tmp_path / "model" / "vocabulary.txt").open("a", encoding="utf-8") as file:
        file.write("added\n")

    with pytest.raises(ValueError):
        load_pipeline(tmp_path / "model")
