"""The data as torch tutorials feed it: torchvision's dataset, its transforms, and a DataLoader with two workers."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.utils.data import DataLoader
from torchvision.datasets import CIFAR10, MNIST
from torchvision.transforms import Compose, RandomCrop, RandomHorizontalFlip, ToTensor

from benchmarks.peers.clock import BATCH_SIZE

NUM_WORKERS = 2


def training_loader(model: str, data: Path) -> DataLoader[tuple[Tensor, Tensor]]:
    """Shuffled batches: CIFAR-10 with random crops and flips for resnet20, MNIST as it is for the others."""
    if model == "resnet20":
        augment = Compose([RandomCrop(32, padding=4), RandomHorizontalFlip(), ToTensor()])
        dataset = CIFAR10(data, train=True, transform=augment)
    else:
        # torchvision wants the files unpacked; with download=True it unpacks those that are there.
        dataset = MNIST(data, train=True, download=True, transform=ToTensor())
    return DataLoader(
        dataset, BATCH_SIZE, shuffle=True, num_workers=NUM_WORKERS, persistent_workers=True, drop_last=True
    )
