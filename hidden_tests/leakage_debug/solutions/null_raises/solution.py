def split(df):
    raise NotImplementedError


def run(df, folds):
    raise NotImplementedError


def predict(model, raw_df):
    raise NotImplementedError
