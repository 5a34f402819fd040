"""The imputer."""

from . import checks


class MedianImputer:
    """Fills numeric gaps with the medians of the frame it was fitted on."""

    def fit(self, df):
        """Learn the medians."""
        checks.require_frame(df)
        self.medians_ = {
            name: column.median() for name, column in df.items() if checks.is_numeric(column)
        }
        return self

    def transform(self, df):
        """Fill with what was learned."""
        checks.require_frame(df)
        result = df.copy()
        for name, median in self.medians_.items():
            if name in result:
                result[name] = result[name].fillna(median)
        return result

    def fit_transform(self, df):
        """Learn and fill."""
        return self.fit(df).transform(df)
