def split(df):
    pass


def run(df, folds):
    pass


def predict(model, raw_df):
    pass
