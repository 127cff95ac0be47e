import numpy as np
import pandas as pd
import pyarrow as pa
import torch


def one(paths):
    frame = pd.DataFrame()
    for path in paths:
        frame = pd.concat([frame, pd.read_csv(path)])  # FW204
    return frame


def two(parts):
    whole = np.array([])
    for part in parts:
        whole = np.concatenate((whole, part))  # FW204
    return whole


def three(batches):
    table = None
    for batch in batches:
        table = batch if table is None else pa.concat_tables([table, batch])  # FW204
    return table


def four(rows):
    total = np.empty((0, 4))
    for row in rows:
        total = np.vstack([total, row])  # FW204
    return total


def five(loader, model):
    out = torch.empty(0)
    for batch in loader:
        out = torch.cat([out, model(batch)], dim=0)  # FW204
    return out
