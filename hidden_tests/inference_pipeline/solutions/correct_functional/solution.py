import functools
import hashlib
import html
import io
import itertools
import json
import math
import pathlib
import re
import unicodedata
import zipfile

import numpy as np

ENTRIES = "format_version name version labels temperature min_confidence max_tokens sha256".split()


def clean(text):
    steps = [
        lambda t: re.sub(r"<[^<>]*>", " ", t),
        html.unescape,
        functools.partial(unicodedata.normalize, "NFKC"),
        lambda t: "".join(" " if unicodedata.category(c) == "Cc" else c for c in t),
        lambda t: "".join(c for c in t if unicodedata.category(c) != "Cf"),
        str.casefold,
        lambda t: re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", t),
        lambda t: re.sub(r"(?<!\S)\S+@\S+", " mailmask ", t),
        lambda t: re.sub(r"\d+", " nummask ", t),
    ]
    return functools.reduce(lambda value, step: step(value), steps, text)


def terms_of(text, limit):
    tokens = re.findall(r"\w\w+", clean(text))[:limit]
    return tokens + list(map(" ".join, itertools.pairwise(tokens)))


def weigh(terms, columns, idf):
    counts = {}
    for term in terms:
        if term in columns:
            counts[columns[term]] = counts.get(columns[term], 0) + 1
    weights = {place: (1 + math.log(n)) * idf[place] for place, n in counts.items()}
    length = math.sqrt(sum(value * value for value in weights.values()))
    return {place: value / length for place, value in weights.items()}


def softmax(scores):
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def answer(text, card, columns, idf, coefficients, intercept):
    """One ticket as a dict."""
    if not isinstance(text, str):
        raise TypeError("not a str: " + type(text).__name__)
    scores = np.array(intercept)
    for place, value in weigh(terms_of(text, card["max_tokens"]), columns, idf).items():
        scores += value * coefficients[:, place]
    probabilities = softmax([float(score) / card["temperature"] for score in scores])
    confidence = max(probabilities)
    return {
        "label": card["labels"][probabilities.index(confidence)],
        "confidence": confidence,
        "probabilities": dict(zip(card["labels"], probabilities)),
        "fallback": confidence < card["min_confidence"],
        "model_version": card["version"],
    }


class Pipeline:
    """Holds a function from text to answer."""

    def __init__(self, answer_one):
        self.answer_one = answer_one

    def predict(self, text):
        """Answer one ticket."""
        return self.answer_one(text)

    def predict_batch(self, texts, batch_size=64):
        """Answer tickets one after the other; they are not faster together here."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("one text is no batch")
        if not isinstance(batch_size, int) or isinstance(batch_size, bool):
            raise TypeError("batch_size: an int please")
        if batch_size < 1:
            raise ValueError("batch_size: at least 1")
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"element {position}: not a str")
            yield self.answer_one(text)


def check(fine, problem):
    if not fine:
        raise ValueError(problem)


def read_arrays(data):
    try:
        archive = np.load(io.BytesIO(data))
        return {name: archive[name] for name in ("idf", "coefficients", "intercept")}
    except (KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ValueError("unreadable weights") from error


def load_pipeline(model_dir):
    """Check the folder and bind the model to the answer function."""
    folder = pathlib.Path(model_dir)
    card = json.loads((folder / "card.json").read_bytes())
    check(isinstance(card, dict) and set(ENTRIES) <= set(card), "incomplete card")
    check(card["format_version"] == 1, "unknown format")
    files = {name: (folder / name).read_bytes() for name in ("weights.npz", "vocabulary.txt")}
    for name, data in files.items():
        check(hashlib.sha256(data).hexdigest() == card["sha256"].get(name), name + " was changed")
    terms = files["vocabulary.txt"].decode().splitlines()
    arrays = read_arrays(files["weights.npz"])
    check(arrays["coefficients"].shape == (len(card["labels"]), len(terms)), "wrong coefficients")
    check(arrays["idf"].shape == (len(terms),), "wrong idf")
    check(arrays["intercept"].shape == (len(card["labels"]),), "wrong intercept")
    columns = {term: place for place, term in enumerate(terms)}
    return Pipeline(functools.partial(answer, card=card, columns=columns, **arrays))
