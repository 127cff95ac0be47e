import pandas as pd
import polars
import pyarrow.parquet as pq
from pandas import read_csv


def one(path):
    frame = pd.read_csv(path)  # FW103
    for _, row in frame.iterrows():
        print(row)


def two(path):
    for row in read_csv(path, sep=";").itertuples():  # FW103
        print(row)


def three(path):
    for record in pd.read_parquet(path).to_dict("records"):  # FW103
        print(record)


def four(path):
    table = pq.read_table(path)  # FW103
    for row in table.to_pylist():
        print(row)


def five(path):
    frame = polars.read_csv(path)  # FW103
    for row in frame.iter_rows():
        print(row)
