import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, GradientBoostingClassifier
from sklearn.metrics import average_precision_score, accuracy_score
from sklearn.preprocessing import StandardScaler


def split(df):
    return main_fn(df, None, "split", None)


def run(df, folds):
    return main_fn(df, folds, "run", None)


def predict(model, raw_df):
    return main_fn(raw_df, None, "predict", model)


def main_fn(df, folds, mode, model):
    num = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days", "failed_pins_24h", "credit_limit_eur"]
    cat = ["merchant_id", "merchant_category", "channel", "country"]
    if mode == "split":
        srt = df.sort_values("paid_at")
        cut = srt["paid_at"].values[int(len(srt) * 0.6)]
        tr = srt[srt["paid_at"] < cut]
        te = srt[srt["paid_at"] >= cut]
        te = te[te["card_id"].isin(tr["card_id"]) == False]
        return [(tr.index.tolist(), te.index.tolist())]
    elif mode == "run" or mode == "predict":
        if mode == "run":
            loop = folds
        else:
            loop = [(None, df.index)]
        out = []
        for tr_ids, te_ids in loop:
            if mode == "run":
                tr = df.loc[tr_ids].copy()
                te = df.loc[te_ids].copy()
                tr["hour"] = tr["paid_at"].dt.hour
                tr["wd"] = tr["paid_at"].dt.dayofweek
                tr["night"] = ((tr["hour"] < 6) | (tr["hour"] > 22)).astype(int)
                model = {}
                model["gm"] = tr["is_fraud"].mean()
                for c in num + ["hour", "wd", "night"]:
                    med = tr[c].median()
                    if np.isnan(med):
                        med = 0
                    model[c] = med
                    tr[c] = tr[c].fillna(med)
                for c in cat:
                    g = tr.groupby(c)["is_fraud"].agg(["mean", "count"])
                    model[c] = (g["mean"] * g["count"] + model["gm"] * 20) / (g["count"] + 20)
                    tr[c + "_x"] = tr[c].map(model[c]).fillna(model["gm"])
                Xtr = tr[num + ["hour", "wd", "night"] + [c + "_x" for c in cat]].values.astype(float)
                ss = StandardScaler()
                Xtr = ss.fit_transform(Xtr)
                model["ss"] = ss
                ytr = tr["is_fraud"].values
                # choose the depth on the last 20% of train
                tr_t = tr["paid_at"].values
                q = np.sort(tr_t)[int(len(tr_t) * 0.8)]
                best = -1
                bd = None
                for depth in [6, 10, None]:
                    clf = RandomForestClassifier(n_estimators=100, max_depth=depth, min_samples_leaf=4, random_state=7)
                    if (tr_t < q).sum() > 0 and ytr[tr_t < q].sum() > 0 and ytr[tr_t >= q].sum() > 0:
                        clf.fit(Xtr[tr_t < q], ytr[tr_t < q])
                        pp = clf.predict_proba(Xtr[tr_t >= q])[:, 1]
                        s = average_precision_score(ytr[tr_t >= q], pp)
                        if s > best:
                            best = s
                            bd = depth
                clf = RandomForestClassifier(n_estimators=200, max_depth=bd, min_samples_leaf=4, random_state=7)
                clf.fit(Xtr, ytr)
                model["clf"] = clf
            else:
                te = df.copy()
            te["hour"] = te["paid_at"].dt.hour
            te["wd"] = te["paid_at"].dt.dayofweek
            te["night"] = ((te["hour"] < 6) | (te["hour"] > 22)).astype(int)
            for c in num + ["hour", "wd", "night"]:
                te[c] = te[c].astype(float).fillna(model[c])
            for c in cat:
                te[c + "_x"] = te[c].map(model[c]).astype(float).fillna(model["gm"])
            Xte = te[num + ["hour", "wd", "night"] + [c + "_x" for c in cat]].values.astype(float)
            Xte = model["ss"].transform(Xte)
            p = model["clf"].predict_proba(Xte)[:, 1]
            if mode == "predict":
                return p
            else:
                sc = average_precision_score(te["is_fraud"].values, p)
                out.append({"train_ids": tr_ids, "test_ids": te_ids, "model": model, "test_score": float(sc)})
        v = 0
        for o in out:
            v += o["test_score"]
        v = v / len(out)
        return {"folds": out, "metric": "average_precision", "value": v}
    else:
        raise Exception("bad mode")


if __name__ == "__main__":
    d = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    f = split(d)
    r = run(d, f)
    print(r["metric"], r["value"])
