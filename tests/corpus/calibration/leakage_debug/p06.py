import pandas as pd
import numpy as np
import math
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

# columns
cols1 = ["amount_eur","minutes_since_last","distance_km","device_age_days","card_age_days","failed_pins_24h","credit_limit_eur"]
cols2 = ["merchant_id","merchant_category","channel","country"]

def split(df):
    # make list of the dates
    dates = []
    for i in range(len(df)):
        dates.append(df.iloc[i]["paid_at"])
    dates2 = sorted(dates)
    x = dates2[int(len(dates2)*0.6)]
    train = []
    train_cards = []
    for index, row in df.iterrows():
        if row["paid_at"] < x:
            train.append(index)
            if row["card_id"] not in train_cards:
                train_cards.append(row["card_id"])
    test = []
    for index, row in df.iterrows():
        if row["paid_at"] >= x:
            if row["card_id"] not in train_cards:
                test.append(index)
            else:
                pass
    list1 = []
    list1.append((train, test))
    return list1

def check(x):
    if x is None:
        return True
    elif x == "":
        return True
    else:
        try:
            if math.isnan(x) == True:
                return True
            else:
                return False
        except:
            return False

def makeX(df, means, stds, dict1, avg):
    X = []
    for i in range(0, len(df)):
        row = df.iloc[i]
        temp = []
        for j in range(0, len(cols1)):
            val = row[cols1[j]]
            if check(val) == True:
                val = means[j]
            val = (float(val) - means[j]) / stds[j]
            temp.append(val)
        for j in range(0, len(cols2)):
            val = row[cols2[j]]
            key = str(j) + "_" + str(val)
            if key in dict1.keys():
                temp.append(dict1[key])
            else:
                temp.append(avg)
        try:
            h = row["paid_at"].hour
            if check(h) == True:
                h = 12
        except:
            h = 12
        temp.append(h / 24)
        if h < 6:
            temp.append(1)
        else:
            temp.append(0)
        X.append(temp)
    return np.array(X)

def run(df, folds):
    final = []
    for k in range(len(folds)):
        train_ids = folds[k][0]
        test_ids = folds[k][1]
        data1 = df.loc[train_ids]
        data2 = df.loc[test_ids]
        # means
        means = []
        stds = []
        for j in range(0, len(cols1)):
            vals = []
            for v in data1[cols1[j]]:
                if check(v) == False:
                    vals.append(v)
            if len(vals) == 0:
                means.append(0)
                stds.append(1)
            else:
                m = sum(vals) / len(vals)
                means.append(m)
                s = np.std(vals)
                if s == 0:
                    s = 1
                stds.append(s)
        # rates
        dict1 = {}
        dict2 = {}
        dict3 = {}
        y = []
        for index, row in data1.iterrows():
            y.append(row["is_fraud"])
            for j in range(0, len(cols2)):
                key = str(j) + "_" + str(row[cols2[j]])
                if key in dict2:
                    dict2[key] = dict2[key] + 1
                else:
                    dict2[key] = 1
                if row["is_fraud"] == 1:
                    if key in dict3:
                        dict3[key] = dict3[key] + 1
                    else:
                        dict3[key] = 1
        avg = sum(y) / len(y)
        for key in dict2:
            if key in dict3:
                dict1[key] = (dict3[key] + avg * 20) / (dict2[key] + 20)
            else:
                dict1[key] = (avg * 20) / (dict2[key] + 20)
        X = makeX(data1, means, stds, dict1, avg)
        y = np.array(y)
        y = y.astype(int)
        lr = LogisticRegression(max_iter=1000)
        lr.fit(X, y)
        model = [lr, means, stds, dict1, avg]
        preds = predict(model, data2)
        y2 = []
        for index, row in data2.iterrows():
            y2.append(int(row["is_fraud"]))
        s = average_precision_score(y2, preds)
        d = {}
        d["train_ids"] = train_ids
        d["test_ids"] = test_ids
        d["model"] = model
        d["test_score"] = float(s)
        final.append(d)
    total = 0
    for d in final:
        total = total + d["test_score"]
    total = total / len(final)
    return {"folds": final, "metric": "average_precision", "value": total}

def predict(model, raw_df):
    X = makeX(raw_df, model[1], model[2], model[3], model[4])
    p = model[0].predict_proba(X)
    result = []
    for i in range(len(p)):
        result.append(p[i][1])
    return np.array(result)
