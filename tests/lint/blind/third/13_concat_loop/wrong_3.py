import torch
from torch import nn
from torch.utils.data import DataLoader


@torch.no_grad()
def embed(model: nn.Module, loader: DataLoader, device: str = "cuda") -> torch.Tensor:
    model.eval()
    features = torch.empty(0, model.dim, device=device)
    for images, _ in loader:
        out = model(images.to(device))
        features = torch.cat((features, out), dim=0)
    return features.cpu()
