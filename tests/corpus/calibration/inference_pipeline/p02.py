# based on prototype.py
import csv
import json
import math
import re
import unicodedata
import html
import sys
from pathlib import Path
import hashlib
import numpy as np
import pandas as pd

MODEL = Path(__file__).parent / "model"
CARD = None
W = {}
VOC = {}
last = None   # for debugging

def clean(text):
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(text)  # this was missing!!
    text = unicodedata.normalize("NFKC", text)
    text = "".join(
        " " if unicodedata.category(c) == "Cc" else c
        for c in text
        if unicodedata.category(c) != "Cf"
    )
    text = text.casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    return re.sub(r"\d+", " nummask ", text)

def sm(x):
    e=np.exp(x-np.max(x)); return e/np.sum(e)

def feats(t, P):
    tk = re.findall(r"\w\w+", clean(t))[:P.card['max_tokens']]
    tt = tk + [a + " " + b for a, b in zip(tk, tk[1:])]
    v = np.zeros(len(P.voc))
    # for x in tt:
    #     if x in VOC: v[VOC[x]] += 1
    for x in set(tt):
        if x in P.voc: v[P.voc[x]] = 1 + math.log(tt.count(x))
    v *= P.w['idf']
    n = np.linalg.norm(v)
    if n!=0: v /= n
    return v

class Pipeline:
    def __init__(self): pass

    def predict(self, text):
        global last
        if not isinstance(text,str): raise TypeError('str!')
        v = feats(text, self)
        s = self.w['coefficients'] @ v + self.w['intercept']
        p = sm(s/self.card['temperature'])
        d = dict(zip(self.card['labels'], [float(q) for q in p]))
        l = max(d, key=d.get)
        r = {'label':l,'confidence':d[l],'probabilities':d,'fallback':d[l]<self.card['min_confidence'],'model_version':self.card['version']}
        last = r['label']
        return r

    def predict_batch(self, texts, batch_size=64):
        if isinstance(texts,(str,bytes)): raise TypeError('list please')
        if not isinstance(batch_size,int): raise TypeError('bs')
        if batch_size<1: raise ValueError('bs')
        i=0
        for t in texts:
            if not isinstance(t,str): raise TypeError('not str: '+str(i))
            yield self.predict(t)
            i+=1

def load_pipeline(model_dir):
    global CARD, W, VOC
    model_dir = Path(model_dir)
    if not model_dir.exists(): raise FileNotFoundError
    CARD = json.loads((model_dir / "card.json").read_text("utf-8"))
    try:
        assert CARD['format_version']==1
        for k in ['name','version','labels','temperature','min_confidence','max_tokens','sha256']: assert k in CARD
    except (AssertionError, KeyError, TypeError): raise ValueError('card')
    for f in ['vocabulary.txt','weights.npz']:
        b = open(model_dir/f,'rb').read()
        if hashlib.sha256(b).hexdigest()!=CARD['sha256'].get(f): raise ValueError('sha')
    vocabulary = (model_dir / "vocabulary.txt").read_text("utf-8").split('\n')
    if vocabulary[-1]=='': vocabulary.pop()
    VOC = {term: i for i, term in enumerate(vocabulary)}
    try:
        W = dict(np.load(model_dir / "weights.npz"))
        assert W['idf'].shape[0]==len(VOC)
        assert W['coefficients'].shape==(len(CARD['labels']),len(VOC))
        assert W['intercept'].shape[0]==len(CARD['labels'])
    except Exception as e:
        raise ValueError('weights')
    P = Pipeline()
    P.card=CARD; P.w=W; P.voc=VOC
    return P

def evaluate(n=100):
    P = load_pipeline(MODEL)
    df = pd.read_csv(Path(__file__).parent/'data'/'tickets.csv').head(n)
    df['pred'] = [P.predict(t)['label'] for t in df['text']]
    acc = (df['pred']==df['label']).mean()
    print('acc', acc)
    return df

if __name__ == "__main__":
    df=evaluate(200)
    #df.to_csv('out.csv')
    #print(df[df.pred!=df.label][['text','label','pred']].head(20).to_string())
