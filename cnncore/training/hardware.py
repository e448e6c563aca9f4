"""What training takes of the machine: memory and load of this process and its GPU."""

from __future__ import annotations

import psutil
import torch

MIB = 1 << 20


class HardwareMeter:
    """Measures this process and the device it trains on; a reading takes well under a millisecond on a CPU.

    Args:
        device: The device the run trains on.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._process = psutil.Process()
        # The first call only starts the interval that the next one reports on.
        self._process.cpu_percent()
        self._tells_load = device.type == "cuda"

    def read(self) -> dict[str, float]:
        """The state now.

        Returns:
            `rss_mib`, memory of this process; `cpu_percent` since the last reading, 100 a core; on a GPU also
            `gpu_memory_mib` taken by this process, `gpu_memory_total_mib` and, where the driver tells it,
            `gpu_percent` from 0 to 100.
        """
        found = {
            "rss_mib": round(self._process.memory_info().rss / MIB, 1),
            "cpu_percent": self._process.cpu_percent(),
        }
        if self.device.type == "cuda":
            total = torch.cuda.get_device_properties(self.device).total_memory
            found |= _memory(torch.cuda.memory_reserved(self.device), total) | self._load()
        elif self.device.type == "mps":
            found |= _memory(torch.mps.driver_allocated_memory(), torch.mps.recommended_max_memory())
        return found

    def _load(self) -> dict[str, float]:
        """The GPU's load, left out for good once it could not be read: a driver may refuse to tell it."""
        if not self._tells_load:
            return {}
        try:
            return {"gpu_percent": float(torch.cuda.utilization(self.device))}
        except Exception:  # one of nvidia-ml-py's own errors, whose classes need the package, or that is missing
            self._tells_load = False
            return {}


def _memory(used: int, total: int) -> dict[str, float]:
    return {"gpu_memory_mib": round(used / MIB, 1), "gpu_memory_total_mib": round(total / MIB, 1)}
