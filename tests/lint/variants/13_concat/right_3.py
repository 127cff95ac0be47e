import pandas as pd


def clean(paths, out_dir):
    for i, path in enumerate(paths):
        df = pd.concat([pd.read_csv(path, nrows=1000), pd.read_csv(path + ".extra", nrows=1000)])
        df.to_parquet(f"{out_dir}/{i}.parquet")
