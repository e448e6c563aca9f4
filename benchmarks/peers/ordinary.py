"""The ordinary loop of torch tutorials: DataLoader with two workers, fp32, Adam."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from benchmarks.peers.clock import Stopwatch, read_request
from benchmarks.peers.loader import training_loader
from benchmarks.peers.networks import build


def main() -> None:
    request = read_request(__doc__)
    loader = training_loader(request.model, request.data)
    network = build(request.model)
    optimizer = torch.optim.Adam(network.parameters())
    stopwatch = Stopwatch("ordinary", request)
    while not stopwatch.finished:
        for images, labels in loader:
            loss = cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            stopwatch.tick()
            if stopwatch.finished:
                break


if __name__ == "__main__":
    main()
