from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from cnncore.training.hardware import HardwareMeter


def test_a_reading_on_the_cpu() -> None:
    meter = HardwareMeter(torch.device("cpu"))
    reading = meter.read()
    assert set(reading) == {"rss_mib", "cpu_percent"}
    assert 10 < reading["rss_mib"] < 100_000


class Cuda(SimpleNamespace):
    """A GPU of 16 GiB that has no package to tell its load."""

    asked = 0

    def utilization(self, device: torch.device) -> int:
        self.asked += 1
        raise ModuleNotFoundError("nvidia-ml-py does not seem to be installed")


def test_what_tells_a_gpu_s_load_is_installed() -> None:
    assert torch.cuda._HAS_PYNVML, "torch asks nvidia-ml-py, which requirements.txt names"


def test_a_gpu_that_does_not_tell_its_load_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda(
        memory_reserved=lambda device: 3 << 30,
        get_device_properties=lambda device: SimpleNamespace(total_memory=16 << 30),
    )
    monkeypatch.setattr(torch, "cuda", cuda)
    meter = HardwareMeter(torch.device("cuda:0"))
    meter.read()
    reading = meter.read()
    assert (reading["gpu_memory_mib"], reading["gpu_memory_total_mib"]) == (3_072, 16_384)
    assert "gpu_percent" not in reading
    assert cuda.asked == 1
    monkeypatch.setattr(cuda, "utilization", lambda device: 87, raising=False)
    assert HardwareMeter(torch.device("cuda:0")).read()["gpu_percent"] == 87
