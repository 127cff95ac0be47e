from pathlib import Path

import pandas as pd


def combine_months(folder: Path) -> pd.DataFrame:
    sales = pd.DataFrame()
    for path in sorted(folder.glob("sales_*.csv")):
        month = pd.read_csv(path)
        month["source"] = path.stem
        sales = pd.concat([sales, month], ignore_index=True)
    return sales


if __name__ == "__main__":
    combine_months(Path("/data/sales")).to_parquet("/data/sales.parquet")
