import pandas as pd, numpy as np
import matplotlib
import warnings; warnings.filterwarnings('ignore')
df = pd.DataFrame({'a': [1, None, 3]})
print(df.head())
df.describe()
def f(s):
    l = [v for v in s.values if not pd.isna(v)]
    l.sort()
    if len(l) == 0: return None
    if len(l) % 2 == 0: return (l[len(l)//2] + l[len(l)//2-1]) / 2
    return l[len(l)//2]
print(f(df['a']))
def missing_report(df):
    dict = {}
    for c in df.columns:
        dict[c] = df[c].apply(lambda x: 1 if pd.isna(x) else 0).sum()
    r = pd.DataFrame(dict.items(), columns=['c', 'n_missing']); r.index = r['c']; del r['c']
    r['pct_missing'] = r.apply(lambda row: row['n_missing'] / len(df) * 100, axis=1)
    r['dtype'] = [str(df[c].dtype) for c in df.columns]
    return r.sort_values('n_missing', ascending=False)
def impute(df):
    df1 = df.copy()
    for c in df1.columns:
        try:
            m = f(df1[c])
            df1[c] = df1[c].apply(lambda x: m if pd.isna(x) else x)
        except Exception as e:
            print(e)
    return df1
class MedianImputer:
    def fit(self, df):
        self.m = {}
        for c in df.columns:
            try: self.m[c] = f(df[c])
            except: pass
        return self
    def transform(self, df):
        df1 = df.copy()
        for i, row in df1.iterrows():
            for c in self.m:
                if pd.isna(row[c]): df1.loc[i, c] = self.m[c]
        return df1
    def fit_transform(self, df): return self.fit(df).transform(df)
report = missing_report(df)
print(report)
