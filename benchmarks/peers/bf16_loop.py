"""The ordinary loop with what torch offers for speed: bf16 autocast, channels-last tensors, fused Adam."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from benchmarks.peers.clock import Stopwatch, read_request
from benchmarks.peers.loader import training_loader
from benchmarks.peers.networks import build


def main() -> None:
    request = read_request(__doc__)
    loader = training_loader(request.model, request.data)
    network = build(request.model).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    stopwatch = Stopwatch("bf16_loop", request)
    while not stopwatch.finished:
        for images, labels in loader:
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(images.to(memory_format=torch.channels_last))
            loss = cross_entropy(logits.float(), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            stopwatch.tick()
            if stopwatch.finished:
                break


if __name__ == "__main__":
    main()
