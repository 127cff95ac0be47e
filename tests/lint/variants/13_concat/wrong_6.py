import torch
from pandas import DataFrame, concat


def evaluate(model, loader):
    preds = torch.empty(0)
    table = DataFrame()
    for x, meta in loader:
        out = model(x)
        preds = torch.cat((preds, out))
        table = concat([table, DataFrame(meta)])
    return preds, table
