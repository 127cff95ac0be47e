import numpy as np
import pandas as pd


def augment(images: np.ndarray) -> np.ndarray:
    flipped = images[:, :, ::-1]
    return np.concatenate([images, flipped], axis=0)


def quarterly(year: int) -> pd.DataFrame:
    frames = []
    for quarter in (1, 2, 3, 4):
        frames.append(pd.read_csv(f"summary_{year}_q{quarter}.csv", nrows=12))
    return pd.concat(frames)
