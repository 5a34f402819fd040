import pandas as pd
import math


def missing_report(df):
    if not isinstance(df, pd.DataFrame):
        raise TypeError("this is not a dataframe")
    list1 = []
    list2 = []
    list3 = []
    list4 = []
    for i in range(0, len(df.columns)):
        count = 0
        for j in range(0, len(df)):
            value = df.iloc[j, i]
            if pd.isna(value) == True:
                count = count + 1
        list1.append(df.columns[i])
        list2.append(count)
        if len(df) == 0:
            list3.append(0.0)
        else:
            percent = count / len(df)
            percent = percent * 100
            list3.append(percent)
        list4.append(str(df.dtypes.iloc[i]))
    # bubble sort, biggest first
    for a in range(0, len(list1)):
        for b in range(0, len(list1) - 1):
            if list2[b] < list2[b + 1]:
                temp = list2[b]
                list2[b] = list2[b + 1]
                list2[b + 1] = temp
                temp = list1[b]
                list1[b] = list1[b + 1]
                list1[b + 1] = temp
                temp = list3[b]
                list3[b] = list3[b + 1]
                list3[b + 1] = temp
                temp = list4[b]
                list4[b] = list4[b + 1]
                list4[b + 1] = temp
    newdf = pd.DataFrame()
    newdf["n_missing"] = list2
    newdf["pct_missing"] = list3
    newdf["dtype"] = list4
    newdf.index = list1
    return newdf


def get_median(numbers):
    numbers.sort()
    n = len(numbers)
    if n == 0:
        return None
    if n % 2 == 1:
        return numbers[int(n / 2)]
    else:
        return (numbers[int(n / 2) - 1] + numbers[int(n / 2)]) / 2


def is_number_column(df, col):
    t = str(df[col].dtype)
    if t.startswith("int") or t.startswith("Int") or t.startswith("uint") or t.startswith("UInt") or t.startswith("float") or t.startswith("Float"):
        return True
    else:
        return False


def impute(df):
    if not isinstance(df, pd.DataFrame):
        raise TypeError("this is not a dataframe")
    newdf = df.copy()
    for i in range(0, len(newdf.columns)):
        col = newdf.columns[i]
        if is_number_column(newdf, col) == True:
            numbers = []
            for j in range(0, len(newdf)):
                if pd.isna(newdf.iloc[j, i]) == False:
                    numbers.append(newdf.iloc[j, i])
            median = get_median(numbers)
            if median != None:
                for j in range(0, len(newdf)):
                    if pd.isna(newdf.iloc[j, i]) == True:
                        newdf.iloc[j, i] = median
    return newdf


class MedianImputer:
    def __init__(self):
        self.names = []
        self.medians = []
        self.fitted = False

    def fit(self, df):
        if not isinstance(df, pd.DataFrame):
            raise TypeError("this is not a dataframe")
        self.names = []
        self.medians = []
        for i in range(0, len(df.columns)):
            col = df.columns[i]
            if is_number_column(df, col) == True:
                numbers = []
                for j in range(0, len(df)):
                    if pd.isna(df.iloc[j, i]) == False:
                        numbers.append(df.iloc[j, i])
                median = get_median(numbers)
                self.names.append(col)
                self.medians.append(median)
        self.fitted = True
        return self

    def transform(self, df):
        if self.fitted == False:
            raise ValueError("please fit first")
        if not isinstance(df, pd.DataFrame):
            raise TypeError("this is not a dataframe")
        newdf = df.copy()
        for i in range(0, len(newdf.columns)):
            col = newdf.columns[i]
            for k in range(0, len(self.names)):
                if self.names[k] == col:
                    if self.medians[k] != None:
                        if is_number_column(newdf, col) == True:
                            for j in range(0, len(newdf)):
                                if pd.isna(newdf.iloc[j, i]) == True:
                                    newdf.iloc[j, i] = self.medians[k]
        return newdf

    def fit_transform(self, df):
        self.fit(df)
        newdf = self.transform(df)
        return newdf
