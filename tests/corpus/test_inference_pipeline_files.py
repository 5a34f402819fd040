"""The model that inference_pipeline ships is the one that its script trains. No Docker."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.scripts import load

ROOT = Path(__file__).resolve().parent.parent.parent
PUBLIC = ROOT / "exercises" / "inference_pipeline"
STARTER = PUBLIC / "starter"
HIDDEN = ROOT / "hidden_tests" / "inference_pipeline"
MODEL_FILES = ("card.json", "vocabulary.txt", "weights.npz")

ODD_TEXTS = (
    "",
    "<b>Stra\u00dfe</b>&uuml;ber&lt;i&gt;",
    "\uff30\uff41rcel \u00adsoft\u00adhyphen\x00nul\u200bjoined",
    "WWW.example.com/a <kim@example.com> +49-555-0100 \u0664\u0662",
    "word " * 300,
)


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Any:
    before = sys.path[:]
    sys.path[:0] = [str(PUBLIC), str(HIDDEN)]
    yield
    sys.path[:] = before
    for name in ("make_model", "reference", "tickets"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def judged() -> Any:
    module = load("reference", HIDDEN)
    files = {name: (HIDDEN / "model" / name).read_bytes() for name in MODEL_FILES}
    return module, module.Model.from_files(files)


def test_judge_and_starter_have_the_same_model() -> None:
    for name in MODEL_FILES:
        assert (HIDDEN / "model" / name).read_bytes() == (STARTER / "model" / name).read_bytes()


def test_the_card_has_the_checksums() -> None:
    card = json.loads((STARTER / "model" / "card.json").read_text())

    assert set(card["sha256"]) == set(MODEL_FILES) - {"card.json"}
    for name, checksum in card["sha256"].items():
        assert hashlib.sha256((STARTER / "model" / name).read_bytes()).hexdigest() == checksum


def test_the_human_card_says_what_the_card_says() -> None:
    card = json.loads((STARTER / "model" / "card.json").read_text())
    text = (STARTER / "model" / "MODEL_CARD.md").read_text()

    assert text.startswith(f"# {card['name']} {card['version']}\n")
    assert ", ".join(f"`{label}`" for label in card["labels"]) in text
    assert f"**divide them by the temperature** ({card['temperature']})" in text
    assert f"| **Minimum confidence** | {card['min_confidence']}:" in text
    assert f"**only the first `max_tokens` ({card['max_tokens']})**" in text


def test_the_model_is_what_the_script_trains(tmp_path: Path) -> None:
    script = load("make_model", PUBLIC)
    vectorizer, classifier, temperature, sample = script.train()
    script.write_model(vectorizer, classifier, temperature, tmp_path)
    script.write_sample(sample, tmp_path)

    shipped = STARTER / "model"
    assert (tmp_path / "vocabulary.txt").read_bytes() == (shipped / "vocabulary.txt").read_bytes()
    assert (tmp_path / "tickets.csv").read_bytes() == (
        STARTER / "data" / "tickets.csv"
    ).read_bytes()
    assert abs(temperature - json.loads((shipped / "card.json").read_text())["temperature"]) <= 0.02
    with np.load(tmp_path / "weights.npz") as new, np.load(shipped / "weights.npz") as old:
        assert new.files == old.files
        for name in new.files:
            np.testing.assert_allclose(new[name], old[name], atol=0.02)


def test_the_judge_reads_tickets_as_training_did(judged: Any) -> None:
    module, _ = judged
    script = load("make_model", PUBLIC)
    drawn = script.tickets.draw_tickets(np.random.default_rng(0), 300)

    for text in [*(ticket.text for ticket in drawn), *ODD_TEXTS]:
        assert module.tokens(text) == script.preprocess(text)
        shown = unicodedata.normalize("NFD", text)
        assert module.tokens(shown) == script.preprocess(shown)


def test_honest_accuracy_is_what_the_card_says(judged: Any) -> None:
    _, model = judged
    tickets = load("tickets", HIDDEN)
    drawn = tickets.draw_tickets(np.random.default_rng(1), 3000)

    best = model.probabilities([ticket.text for ticket in drawn]).argmax(axis=1)

    right = np.mean([model.labels[k] == t.label for k, t in zip(best, drawn, strict=True)])
    assert 0.88 < right < 0.94


def test_the_prototype_has_its_defects(judged: Any) -> None:
    _, model = judged
    prototype = load("prototype", STARTER)
    text = "Geb&uuml;hr f&uuml;r die R&uuml;cksendung"
    scores = model.scores([text])[0]

    found = np.array([prototype.score(text)[label] for label in model.labels])

    assert np.abs(found - scores).max() > 0.1  # it skips a step
    assert np.allclose(
        [prototype.score("my parcel")[label] for label in model.labels],
        model.scores(["my parcel"])[0],
    )
    assert "html.unescape" not in (STARTER / "prototype.py").read_text()


def test_personal_data_in_tickets_is_nobodys() -> None:
    with (STARTER / "data" / "tickets.csv").open(encoding="utf-8", newline="") as file:
        text = "\n".join(row["text"] for row in csv.DictReader(file))

    addresses = re.findall(r"[\w.+]+@([\w.-]*\w)", text)
    assert set(map(str.lower, addresses)) == {"example.com", "example.org"}
    assert set(map(str.lower, re.findall(r"https?://([^/\s]+)", text, re.IGNORECASE))) == {
        "shop.example.com"
    }
    assert re.search(r"\b555-01\d\d\b", text)


def test_no_submission_needs_more_than_it_ships() -> None:
    size = sum(path.stat().st_size for path in STARTER.rglob("*") if path.is_file())

    assert size < 1_500_000
