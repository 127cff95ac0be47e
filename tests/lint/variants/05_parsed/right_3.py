import pandas as pd


def preview(csv_path):
    df = pd.read_csv(csv_path, nrows=100)
    for _, row in df.iterrows():
        print(row.to_dict())
