import torch
from torch.utils.data import DataLoader

from vision.model import Encoder


@torch.no_grad()
def embed_dataset(encoder: Encoder, loader: DataLoader, device: str = "cuda") -> torch.Tensor:
    encoder.eval()
    features = torch.empty(0, encoder.dim)
    for images, _labels in loader:
        out = encoder(images.to(device)).cpu()
        features = torch.cat([features, out])
    return features


def save_embeddings(encoder, loader, path):
    torch.save(embed_dataset(encoder, loader), path)
