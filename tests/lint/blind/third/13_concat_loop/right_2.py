import torch
from torch import nn
from torch.utils.data import DataLoader


def train_epoch(model: nn.Module, loader: DataLoader, optimiser) -> float:
    running = 0.0
    for left, right, target in loader:
        pair = torch.cat([left, right], dim=1)
        loss = nn.functional.mse_loss(model(pair), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        running += loss.item()
    return running / len(loader)
