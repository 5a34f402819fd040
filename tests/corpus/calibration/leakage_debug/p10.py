"""Fraud scoring. Let D = {(x_i, y_i, t_i, c_i)} be the payments, t the time, c the card."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, xlogy
from sklearn.metrics import average_precision_score as ap

N = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
     "failed_pins_24h", "credit_limit_eur"]
C = ["merchant_id", "merchant_category", "channel", "country"]
Y = "is_fraud"
Q = (0.5, 0.6)
LAM = 1.0
K = 20.0


def split(df):
    t, c = df["paid_at"], df["card_id"]
    s = t.groupby(c).transform("min")     # s_i = min_{j: c_j = c_i} t_j
    F = []
    for q in Q:
        u = t.quantile(q)
        F.append((list(df.index[t < u]), list(df.index[s >= u])))
    return F


def phi(df, th):
    """phi: raw payments -> R^d, given th = (m, mu, sd, r, p)."""
    m, mu, sd, r, p = th
    A = np.log1p(df[N].astype(float).fillna(m).clip(lower=0)).to_numpy()
    B = np.column_stack([df[k].map(r[k]).astype(float).fillna(p).to_numpy() for k in C])
    L = np.log(B / (1 - B)) - np.log(p / (1 - p))
    h = df["paid_at"].dt.hour.fillna(12).to_numpy() * 2 * np.pi / 24
    Z = np.column_stack([A, L, np.sin(h), np.cos(h)])
    if mu is not None:
        Z = (Z - mu) / sd
    return np.column_stack([np.ones(len(Z)), Z, Z[:, :len(N)] ** 2])


def theta(df):
    y = df[Y]
    p = y.mean()
    m = df[N].astype(float).median().fillna(0)
    r = {}
    for k in C:
        g = y.groupby(df[k])
        r[k] = (g.sum() + K * p) / (g.count() + K)
    Z = phi(df, (m, None, None, r, p))[:, 1:1 + len(N) + len(C) + 2]
    mu, sd = Z.mean(0), Z.std(0)
    sd[sd == 0] = 1
    return m, mu, sd, r, p


def fit(X, y):
    """argmin_w  -log L(w) + lam/2 |w|^2 (intercept not penalised)."""
    n, d = X.shape
    e = np.ones(d)
    e[0] = 0

    def f(w):
        p = expit(X @ w)
        q = np.clip(p, 1e-12, 1 - 1e-12)
        J = -(xlogy(y, q) + xlogy(1 - y, 1 - q)).sum() + LAM / 2 * (e * w * w).sum()
        return J, X.T @ (p - y) + LAM * e * w

    return minimize(f, np.zeros(d), jac=True, method="L-BFGS-B").x


def run(df, folds):
    R = []
    for a, b in folds:
        A, B = df.loc[a], df.loc[b]
        th = theta(A)
        w = fit(phi(A, th), A[Y].to_numpy(float))
        M = (th, w)
        v = ap(B[Y], predict(M, B.drop(columns=Y)))
        R.append({"train_ids": a, "test_ids": b, "model": M, "test_score": float(v)})
    return {"folds": R, "metric": "average_precision", "value": float(np.mean([z["test_score"] for z in R]))}


def predict(model, raw_df):
    th, w = model
    return expit(phi(raw_df, th) @ w)


if __name__ == "__main__":
    D = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    o = run(D, split(D))
    print(o["metric"], o["value"])
