import pandas as pd
from pathlib import Path


def combine_statements(folder: Path) -> pd.DataFrame:
    result = pd.DataFrame()
    for file in folder.glob("statement_*.csv"):
        month = pd.read_csv(file, sep=";", decimal=",")
        month["source"] = file.name
        result = pd.concat([result, month], ignore_index=True)
    return result


if __name__ == "__main__":
    combine_statements(Path("statements")).to_csv("combined.csv", index=False)
