def missing_report(df):
    return None


def impute(df):
    return None


class MedianImputer:
    def fit(self, df):
        return None

    def transform(self, df):
        return None

    def fit_transform(self, df):
        return None
