import pandas as pd


def read_log(reader):
    result = None
    for chunk in reader:
        tmp = chunk[chunk["status"] >= 500]
        result = tmp if result is None else pd.concat([result, tmp], axis=0)
    return result
