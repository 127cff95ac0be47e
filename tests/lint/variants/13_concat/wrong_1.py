import pandas as pd


def merge_files(paths):
    df = pd.DataFrame()
    for path in paths:
        part = pd.read_csv(path)
        df = pd.concat([df, part])
    return df
