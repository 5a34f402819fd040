# Ticket classification
from __future__ import annotations
import numpy as np, pandas as pd
import json, html, re, hashlib, math, io, os
import unicodedata
from collections import namedtuple

Prediction = namedtuple("Prediction", "label confidence probabilities fallback model_version")

class Pipeline:
    def __init__(s, a, b, c, d, e): s.a, s.b, s.c, s.d, s.e = a, b, c, d, e

    def predict(s, x):
        if not isinstance(x, str): raise TypeError()
        return list(s.predict_batch([x]))[0]

    def predict_batch(s, X, batch_size=64):
        if isinstance(X, (str, bytes)) or not hasattr(X, '__iter__'): raise TypeError('X')
        if not isinstance(batch_size, int) or batch_size is True or batch_size is False: raise TypeError('bs')
        if batch_size < 1: raise ValueError('bs')
        def g():
            B, o, it, fin = [], 0, iter(X), False
            while not fin:
                try:
                    z = next(it)
                    if not isinstance(z, str): raise TypeError(f'{o + len(B)}')
                    B.append(z)
                except StopIteration:
                    fin = True
                if len(B) == batch_size or fin and B:
                    V = np.zeros((len(B), len(s.b)))
                    for i, z in enumerate(B):
                        z = re.sub(r'\d+', ' nummask ', re.sub(r'(?<!\S)\S+@\S+', ' mailmask ', re.sub(r'(?<!\S)(?:https?://|www\.)\S+', ' urlmask ', ''.join('' if q == 'Cf' else ' ' if q == 'Cc' else ch for ch, q in ((ch, unicodedata.category(ch)) for ch in unicodedata.normalize('NFKC', html.unescape(re.sub(r'<[^<>]*>', ' ', z))))).casefold())))
                        T = re.findall(r'\w\w+', z)[:s.a['max_tokens']]
                        for w in T + [' '.join(p) for p in zip(T, T[1:])]:
                            j = s.b.get(w, -1)
                            if j >= 0: V[i, j] += 1
                    nz = V > 0
                    V[nz] = 1 + np.log(V[nz])
                    V *= s.c
                    n = np.sqrt((V * V).sum(1, keepdims=True)); n[n == 0] = 1
                    Z = np.stack([s.d @ v for v in V / n]) + s.e
                    Z = Z / s.a['temperature']; Z = np.exp(Z - Z.max(1, keepdims=True)); Z /= Z.sum(1, keepdims=True)
                    o += len(B); B = []
                    for r in Z:
                        k = int(r.argmax())
                        yield Prediction(s.a['labels'][k], float(r[k]), {l: float(v) for l, v in zip(s.a['labels'], r)}, bool(r[k] < s.a['min_confidence']), s.a['version'])
        return g()

def load_pipeline(model_dir):
    R = lambda f: open(os.path.join(model_dir, f), 'rb').read()
    x, y, z = R('card.json'), R('vocabulary.txt'), R('weights.npz')
    try:
        a = json.loads(x)
        H = lambda q: hashlib.sha256(q).hexdigest()
        [a[k] for k in 'format_version name version labels temperature min_confidence max_tokens sha256'.split()]
        assert a['format_version'] == 1 and H(y) == a['sha256']['vocabulary.txt'] and H(z) == a['sha256']['weights.npz']
        b = {t: i for i, t in enumerate((y.decode()[:-1] if y.endswith(b'\n') else y.decode()).split('\n'))}
        W = np.load(io.BytesIO(z), allow_pickle=False)
        c, d, e = [W[k] for k in ('idf', 'coefficients', 'intercept')]
        assert c.shape == (len(b),) and d.shape == (len(a['labels']), len(b)) and e.shape == d.shape[:1]
    except BaseException as ex:
        raise ValueError('bad model') from None
    return Pipeline(a, b, c, d, e)
