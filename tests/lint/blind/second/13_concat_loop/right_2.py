import numpy as np
import torch
from torch.utils.data import DataLoader


@torch.no_grad()
def write_embeddings(model: torch.nn.Module, loader: DataLoader, path: str, dim: int) -> None:
    n = len(loader.dataset)
    out = np.lib.format.open_memmap(path, mode="w+", dtype="float32", shape=(n, dim))
    start = 0
    for images, _ in loader:
        left, right = model(images), model(images.flip(-1))
        pair = torch.cat([left, right], dim=1)
        out[start:start + len(pair)] = pair.numpy()
        start += len(pair)
    out.flush()
