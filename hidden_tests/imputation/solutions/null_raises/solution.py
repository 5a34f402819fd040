def missing_report(df):
    raise TypeError("not a DataFrame")


def impute(df):
    raise ValueError("fit first")


class MedianImputer:
    def fit(self, df):
        raise TypeError("fit")

    def transform(self, df):
        raise ValueError("fit first")

    def fit_transform(self, df):
        raise ValueError("fit first")
