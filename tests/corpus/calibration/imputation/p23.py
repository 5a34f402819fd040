import pandas as pd
import numpy as np
import math

NUM = ["int8","int16","int32","int64","uint8","uint16","uint32","uint64","float32","float64","Int8","Int16","Int32","Int64","UInt8","UInt16","UInt32","UInt64","Float32","Float64"]
c = 0
data2 = None

def isnan(x):
    global c
    try:
        if x is None:
            c = c + 1
            return True
        if x is pd.NA:
            c = c + 1
            return True
        if x is pd.NaT:
            c = c + 1
            return True
        if type(x) == float or type(x) == np.float64 or type(x) == np.float32:
            if math.isnan(x) == True:
                c = c + 1
                return True
            else:
                return False
        return False
    except:
        return False

def missing_report(df):
    global c
    if type(df) != pd.DataFrame:
        raise TypeError("no df")
    l = []
    l2 = []
    l3 = []
    l4 = []
    for i in range(0, len(df.columns)):
        c = 0
        tmp = df.iloc[:, i].tolist()
        for j in range(0, len(tmp)):
            isnan(tmp[j])
        l.append(df.columns[i])
        l2.append(c)
        if len(tmp) == 0:
            l3.append(0.0)
        else:
            l3.append(c / len(tmp) * 100)
        l4.append(str(df.dtypes.iloc[i]))
    # bubble sort, biggest first
    for i in range(0, len(l)):
        for j in range(0, len(l) - 1):
            if l2[j] < l2[j+1]:
                t = l2[j]
                l2[j] = l2[j+1]
                l2[j+1] = t
                t = l[j]
                l[j] = l[j+1]
                l[j+1] = t
                t = l3[j]
                l3[j] = l3[j+1]
                l3[j+1] = t
                t = l4[j]
                l4[j] = l4[j+1]
                l4[j+1] = t
    r = pd.DataFrame()
    r["n_missing"] = l2
    r["pct_missing"] = l3
    r["dtype"] = l4
    r.index = l
    r["n_missing"] = r["n_missing"].astype("int64")
    r["pct_missing"] = r["pct_missing"].astype("float64")
    return r

def med(x):
    l = []
    for i in range(0, len(x)):
        if isnan(x[i]) == False:
            l.append(x[i])
    if len(l) == 0:
        return None
    l.sort()
    n = len(l)
    if n % 2 == 1:
        return l[int((n - 1) / 2)]
    else:
        return (l[int(n / 2)] + l[int(n / 2) - 1]) / 2

def doit(df, m):
    global data2
    data2 = df.copy()
    for i in range(0, len(df.columns)):
        k = df.columns[i]
        if str(df.dtypes.iloc[i]) in NUM:
            flag = 0
            for kk in m:
                if kk == k:
                    flag = 1
            if flag == 1:
                if m[k] != None:
                    x = df.iloc[:, i].tolist()
                    ch = 0
                    for j in range(0, len(x)):
                        if isnan(x[j]) == True:
                            x[j] = m[k]
                            ch = 1
                    if ch == 1:
                        d = str(df.dtypes.iloc[i])
                        if "nt" in d and m[k] != int(m[k]):
                            d = "Float64"
                        data2[k] = pd.Series(x, index=df.index).astype(d).values
    return data2

def impute(df):
    m = {}
    if type(df) != pd.DataFrame:
        raise TypeError("no df")
    for i in range(0, len(df.columns)):
        if str(df.dtypes.iloc[i]) in NUM:
            m[df.columns[i]] = med(df.iloc[:, i].tolist())
    return doit(df, m)

class MedianImputer:
    def __init__(self):
        self.m = 0
    def fit(self, df):
        self.m = {}
        if type(df) != pd.DataFrame:
            raise TypeError("no df")
        for i in range(0, len(df.columns)):
            if str(df.dtypes.iloc[i]) in NUM:
                self.m[df.columns[i]] = med(df.iloc[:, i].tolist())
        return self
    def transform(self, df):
        if self.m == 0:
            raise ValueError("fit!")
        if type(df) != pd.DataFrame:
            raise TypeError("no df")
        return doit(df, self.m)
    def fit_transform(self, df):
        self.fit(df)
        return self.transform(df)
