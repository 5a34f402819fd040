import json
import re
import unicodedata
from pathlib import Path

import numpy as np


class Pipeline:
    def __init__(self, model_dir):
        self.dir = Path(model_dir)
        self.card = json.loads((self.dir / "card.json").read_text())
        self.weights = dict(np.load(self.dir / "weights.npz"))
        vocabulary = (self.dir / "vocabulary.txt").read_text("utf-8").splitlines()
        self.column = {term: i for i, term in enumerate(vocabulary)}

    def clean(self, text):
        text = re.sub(r"<[^<>]*>", " ", text)
        text = unicodedata.normalize("NFKC", text)
        text = text.lower()
        text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
        text = re.sub(r"https?://\S+", " urlmask ", text)
        return re.sub(r"\d+", " nummask ", text)

    def predict(self, text):
        tokens = re.findall(r"\w\w+", self.clean(text))
        terms = tokens + [a + " " + b for a, b in zip(tokens, tokens[1:])]
        vector = np.zeros(len(self.column))
        for term in terms:
            if term in self.column:
                vector[self.column[term]] += 1
        vector = vector * self.weights["idf"]
        vector = vector / np.linalg.norm(vector)
        scores = self.weights["coefficients"] @ vector + self.weights["intercept"]
        p = np.exp(scores) / np.exp(scores).sum()
        return {
            "label": self.card["labels"][p.argmax()],
            "confidence": p.max(),
            "probabilities": dict(zip(self.card["labels"], p)),
            "fallback": bool(p.max() < 0.5),
            "model_version": self.card["version"],
        }

    def predict_batch(self, texts, batch_size=64):
        return [self.predict(text) for text in texts]


def load_pipeline(model_dir):
    return Pipeline(model_dir)
