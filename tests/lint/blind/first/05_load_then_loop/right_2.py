import pandas as pd


def preview(csv_path: str) -> None:
    head = pd.read_csv(csv_path, nrows=15)
    for row in head.itertuples(index=False):
        print(" | ".join(str(cell) for cell in row))


def column_kinds(csv_path: str) -> dict[str, str]:
    sample = pd.read_csv(csv_path, nrows=1000)
    kinds = {}
    for column in sample.columns:
        kinds[column] = str(sample[column].dtype)
    return kinds
