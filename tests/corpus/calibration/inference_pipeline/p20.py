# -*- coding: utf-8 -*-
"""Serving of the ticket router.

The model is a multinomial logistic regression over TF-IDF of words and pairs of words. What has to be
done to a text is written down in ``model/MODEL_CARD.md``; in short:

1. the text is cleaned (tags, character references, Unicode forms, control characters, case),
2. addresses and numbers are replaced by the words ``urlmask``, ``mailmask`` and ``nummask``,
3. the first ``max_tokens`` tokens of two or more word characters are taken,
4. tokens and pairs of neighbouring tokens are looked up in the vocabulary,
5. weights ``(1 + ln n) * idf`` are divided by their Euclidean length,
6. the scores are divided by the temperature and go through a softmax.

Example::

    pipeline = load_pipeline("model")
    print(pipeline.predict("My parcel has not arrived yet.")["label"])
"""

import hashlib
import html
import io
import json
import os
import re
import unicodedata
from collections import OrderedDict
from typing import Any, Dict, Iterable, Iterator, List, Optional, Union

import numpy as np


class Pipeline(object):
    """A loaded model that answers tickets.

    The object holds everything it needs: after :func:`load_pipeline` has returned, the model folder
    may change or disappear. It is not changed by its own methods, so it can be shared between threads.

    A result is a dict with these entries:

    * ``label`` -- the most probable category,
    * ``confidence`` -- its calibrated probability,
    * ``probabilities`` -- probability of every category, in the order of the card,
    * ``fallback`` -- whether a person should sort the ticket instead,
    * ``model_version`` -- version of the model that answered.
    """

    def __init__(self, data, vocab, arrays):
        # type: (Dict[str, Any], Dict[str, int], Any) -> None
        self.data = data
        self.vocab = vocab
        self.arrays = arrays

    def predict(self, text, _check=True, _index=None):
        # type: (str, bool, Optional[int]) -> Dict[str, Any]
        """Sort one ticket.

        Any text gets an answer, also an empty one: without a known term the vector stays zero and
        the scores are the intercepts.

        :param text: the ticket as it came in.
        :param _check: whether the type is to be checked.
        :param _index: position in a batch, for the message of the error.
        :returns: the result, see the class.
        :raises TypeError: ``text`` is no ``str``. The message does not hold the text.
        """
        if _check and not isinstance(text, str):
            if _index is not None:
                raise TypeError("element %d is not a str but %s" % (_index, type(text).__name__))
            raise TypeError("text is not a str but %s" % type(text).__name__)

        # Cleaning. The order of these steps matters: a reference such as &lt; must be decoded after
        # the tags are gone, and casefold must come before the addresses, as HTTP:// is one, too.
        s = re.sub(r"<[^<>]*>", " ", text)
        s = html.unescape(s)
        s = unicodedata.normalize("NFKC", s)
        s = "".join([" " if unicodedata.category(ch) == "Cc" else ch for ch in s
                     if unicodedata.category(ch) != "Cf"])
        s = s.casefold()
        s = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", s)
        s = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", s)
        s = re.sub(r"\d+", " nummask ", s)
        toks = re.findall(r"\w\w+", s)[:self.data["max_tokens"]]

        # Counting. Terms that are not in the vocabulary are left out.
        counts = {}  # type: Dict[int, int]
        for i in range(len(toks)):
            for term in (toks[i], "%s %s" % (toks[i], toks[i + 1]) if i + 1 < len(toks) else None):
                if term is not None and term in self.vocab:
                    counts[self.vocab[term]] = counts.get(self.vocab[term], 0) + 1

        # Weighting. Only the columns of known terms are touched, which is much faster than a
        # vector over the whole vocabulary.
        idx = sorted(counts.keys())
        if len(idx) > 0:
            vals = np.array([1 + np.log(counts[i]) for i in idx]) * self.arrays[0][idx]
            length = np.sqrt(np.sum(vals ** 2))
            if length > 0:
                vals = vals / length
            z = np.dot(self.arrays[1][:, idx], vals) + self.arrays[2]
        else:
            z = self.arrays[2]

        # Calibration, then softmax; the maximum is subtracted so that exp cannot overflow.
        z = z / self.data["temperature"]
        z = np.exp(z - np.max(z))
        z = z / np.sum(z)

        # The answer, in plain Python types so that json.dumps takes it.
        res = OrderedDict()  # type: Dict[str, Any]
        res["label"] = self.data["labels"][int(np.argmax(z))]
        res["confidence"] = float(np.max(z))
        res["probabilities"] = OrderedDict((l, float(z[i])) for i, l in enumerate(self.data["labels"]))
        res["fallback"] = bool(res["confidence"] < self.data["min_confidence"])
        res["model_version"] = self.data["version"]
        return res

    def predict_batch(self, texts, batch_size=64):
        # type: (Iterable[str], int) -> Iterator[Dict[str, Any]]
        """Sort many tickets, lazily and in their order.

        :param texts: any iterable of ``str``; it is read one ticket at a time, and no ticket is kept.
        :param batch_size: has to be an ``int`` of 1 or more; it does not change the results.
        :returns: an iterator over the results, one for each text.
        :raises TypeError: ``texts`` is a ``str`` or ``bytes``, or one of its elements is no ``str``, or
            ``batch_size`` is no ``int``.
        :raises ValueError: ``batch_size`` is below 1.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts is a %s, not an iterable of str" % type(texts).__name__)
        if not isinstance(batch_size, int):
            raise TypeError("batch_size is not an int but %s" % type(batch_size).__name__)
        if batch_size < 1:
            raise ValueError("batch_size is %d, it must be 1 or more" % batch_size)
        return (self.predict(t, True, i) for i, t in enumerate(texts))


def load_pipeline(model_dir):
    # type: (Union[str, os.PathLike]) -> Pipeline
    """Read a model folder, check it and return a pipeline that serves it.

    Every file is read exactly once, and the checksums are those of the bytes that are then used.
    Pickled objects are refused by NumPy and never run.

    :param model_dir: folder with ``card.json``, ``vocabulary.txt`` and ``weights.npz``.
    :returns: the pipeline.
    :raises FileNotFoundError: the folder or one of its files is missing.
    :raises ValueError: a file is damaged, was changed, or has another format version.
    """
    blobs = []  # type: List[bytes]
    for fn in ("card.json", "vocabulary.txt", "weights.npz"):
        with open(os.path.join(os.fspath(model_dir), fn), "rb") as fh:
            blobs.append(fh.read())
    data = json.loads(blobs[0].decode("utf-8"))
    if not isinstance(data, dict):
        raise ValueError("card.json does not hold an object")
    for key in ("format_version", "name", "version", "labels", "temperature", "min_confidence",
                "max_tokens", "sha256"):
        if key not in data:
            raise ValueError("card.json lacks %r" % key)
    if data["format_version"] != 1:
        raise ValueError("format_version %r is not supported" % data["format_version"])
    for i, fn in ((1, "vocabulary.txt"), (2, "weights.npz")):
        if fn not in data["sha256"]:
            raise ValueError("card.json lacks the checksum of %s" % fn)
        if hashlib.sha256(blobs[i]).hexdigest() != data["sha256"][fn]:
            raise ValueError("%s does not have the checksum of the card" % fn)
    lines = blobs[1].decode("utf-8").split("\n")
    if lines[-1] == "":
        lines.pop()
    vocab = dict((line, i) for i, line in enumerate(lines))
    try:
        npz = np.load(io.BytesIO(blobs[2]), allow_pickle=False)
        arrays = (npz["idf"], npz["coefficients"], npz["intercept"])
    except Exception as exc:
        raise ValueError("weights.npz cannot be read: %s" % exc)
    if (arrays[0].shape != (len(lines),) or arrays[1].shape != (len(data["labels"]), len(lines))
            or arrays[2].shape != (len(data["labels"]),)):
        raise ValueError("weights.npz does not fit vocabulary.txt and the labels")
    return Pipeline(data, vocab, arrays)
