import json
from pathlib import Path

import pandas as pd

CONFIG = Path(__file__).with_name("plugins.json")


def enabled_plugins() -> list[str]:
    with CONFIG.open() as fp:
        config = json.load(fp)
    return [name for name, opts in config.items() if opts.get("enabled")]


def total_revenue(sales_csv: str) -> float:
    total = 0.0
    for chunk in pd.read_csv(sales_csv, chunksize=50_000, usecols=["revenue"]):
        total += chunk["revenue"].sum()
    return total
