import numpy as np


def split(df):
    return [df.index.tolist()]


def run(df, folds):
    return [0.9]


def predict(model, raw_df):
    return np.zeros((len(raw_df), 2))
