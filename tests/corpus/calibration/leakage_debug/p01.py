import pandas as pd
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import *
from sklearn.preprocessing import StandardScaler
import random
import warnings
warnings.filterwarnings("ignore")

TARGET = "is_fraud"
NUM = ["amount_eur","minutes_since_last","distance_km","device_age_days","card_age_days","failed_pins_24h","credit_limit_eur"]
CAT = ["merchant_id", "merchant_category", "channel", "country"]
# NUM = ["amount_eur", "review_minutes"]


def split(df):
    d = df.sort_values('paid_at')
    n = len(d)
    t = d['paid_at'].iloc[int(n*0.6)]
    a = d[d['paid_at']<t]
    b = d[d['paid_at']>=t]
    old = list(a['card_id'].unique())
    b2 = b[~b['card_id'].isin(old)]
    if len(b2) < 0.05*n:
        # not enough new ones, take cards out of train
        cards = sorted(list(set(d['card_id'].dropna())))
        random.Random(3).shuffle(cards)
        tst = cards[:int(len(cards)*0.3)]
        a = a[~a['card_id'].isin(tst)]
        b2 = b[b['card_id'].isin(tst)]
    return [(a.index.tolist(), b2.index.tolist())]

def feats(df, m=None):
    d = df.copy()
    d['h'] = d['paid_at'].dt.hour
    d['wd'] = d['paid_at'].dt.dayofweek
    if m is None:
        m = {}
        m['med'] = {}
        m['r'] = {}
        m['g'] = d[TARGET].mean()
        for c in NUM+['h','wd']:
            x = d[c].median()
            if x != x: x = 0
            m['med'][c] = x
        for c in CAT:
            s = d.groupby(c)[TARGET].sum()
            k = d.groupby(c)[TARGET].count()
            m['r'][c] = ((s + 20*m['g'])/(k+20)).to_dict()
        fit = True
    else:
        fit = False
    for c in CAT:
        tmp = []
        for v in d[c].values:
            if v in m['r'][c]:
                tmp.append(m['r'][c][v])
            else:
                tmp.append(m['g'])
        d[c+'_r'] = tmp
    cols = NUM+['h','wd']+[c+'_r' for c in CAT]
    d2 = d[cols].copy()
    for c in NUM+['h','wd']:
        d2[c] = pd.to_numeric(d2[c], errors='coerce').fillna(m['med'][c])
    X = d2.values.astype(float)
    if fit:
        m['sc'] = StandardScaler().fit(X)
    X = m['sc'].transform(X)
    return X, m

def run(df, folds):
    res = []
    tot = 0
    for f in folds:
        tr = df.loc[f[0]]
        te = df.loc[f[1]]
        X, m = feats(tr)
        y = tr[TARGET].values
        rf = RandomForestClassifier(n_estimators=200, min_samples_leaf=5, class_weight='balanced', random_state=7)
        rf.fit(X, y)
        m['rf'] = rf
        p = predict(m, te.drop(columns=[TARGET]))
        sc = average_precision_score(te[TARGET].values, p)
        # print(sc, roc_auc_score(te[TARGET].values, p))
        tot = tot + sc
        res.append({"train_ids": f[0], "test_ids": f[1], "model": m, "test_score": float(sc)})
    # acc = accuracy_score(y, rf.predict(X))
    return {"folds": res, "metric": "average_precision", "value": float(tot/len(folds))}

def predict(model, raw_df):
    X, _ = feats(raw_df, model)
    return model['rf'].predict_proba(X)[:,1]

if __name__ == "__main__":
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    r = run(df, split(df))
    print(r['metric'], r['value'])
