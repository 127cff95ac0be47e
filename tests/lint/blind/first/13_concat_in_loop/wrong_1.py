from pathlib import Path

import pandas as pd


def merge_months(folder: Path) -> pd.DataFrame:
    sales = pd.DataFrame()
    for month in sorted(folder.glob("sales-*.csv")):
        frame = pd.read_csv(month)
        sales = pd.concat([sales, frame], ignore_index=True)
    return sales
