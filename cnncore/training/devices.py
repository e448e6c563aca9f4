"""The processors of this machine, which of them a run uses and in which number format, and why a GPU cannot be used."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from cnncore.errors import ConfigError, DeviceError

NVIDIA, AMD = "0x10de", "0x1002"
"""Vendor ids on the PCI bus."""
MIN_AMD_MEMORY = 4 << 30
"""Bytes of own memory from which an AMD graphics unit counts as a GPU to compute on; integrated ones have less."""
BF16_CAPABILITY = (8, 0)
"""The compute capability from which NVIDIA's GPUs calculate in bf16 natively (Ampere)."""
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""What Linux calls native bf16 in /proc/cpuinfo: two x86 extensions and Arm's."""


@dataclass(frozen=True)
class Device:
    """A processor to train on.

    Attributes:
        id: What `training.device` calls it: cpu, mps, cuda:0, …
        memory_mib: Its own memory; None for the CPU and for Apple's GPU, which share the machine's.
        cores: Logical cores this process may use; None for a GPU.
        bf16: Whether it calculates in bf16 natively.
        usable: Whether this PyTorch has code for it.
    """

    id: str
    name: str
    memory_mib: int | None = None
    cores: int | None = None
    bf16: bool = False
    usable: bool = True


def devices() -> list[Device]:
    """Every processor that PyTorch sees, the CPU first."""
    found = [Device("cpu", cpu_name(), cores=num_cores(), bf16=bool(cpu_flags() & BF16_FLAGS))]
    if torch.cuda.is_available():
        found += [_cuda_device(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(Device("mps", f"GPU of the {cpu_name()}"))
    return found


def _cuda_device(index: int) -> Device:
    facts = torch.cuda.get_device_properties(index)
    capability = (facts.major, facts.minor)
    return Device(
        f"cuda:{index}",
        facts.name,
        memory_mib=facts.total_memory >> 20,
        bf16=capability >= BF16_CAPABILITY or torch.version.hip is not None,
        usable=torch.version.hip is not None or runs_on(capability, torch.cuda.get_arch_list()),
    )


def runs_on(capability: tuple[int, int], architectures: list[str]) -> bool:
    """Whether code built for CUDA `architectures` (sm_90, compute_90, …) runs on a GPU of this compute capability.

    Machine code (sm) runs on the same major version from its minor version on, PTX (compute) on everything newer.
    """
    for architecture in architectures:
        match = re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", architecture)
        if match is None:
            continue
        kind, built = match[1], (int(match[2]), int(match[3]))
        if built <= capability and (kind == "compute" or built[0] == capability[0]):
            return True
    return False


def num_cores() -> int:
    """Logical cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return ""


@cache
def cpu_name() -> str:
    """The CPU's name as its maker gives it, or its architecture where the system does not tell."""
    if sys.platform == "darwin":
        asked = subprocess.run(
            ("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"), capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() or platform.machine()
    named = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine()


@cache
def cpu_flags() -> frozenset[str]:
    """The CPU's extensions as Linux lists them; empty elsewhere."""
    listed = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return frozenset(listed[1].split()) if listed else frozenset()


def device_name(device: torch.device) -> str:
    """The name of a device for people, such as "NVIDIA H100 80GB HBM3"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name() if device.type == "cpu" else f"GPU of the {cpu_name()}"


def pick_device(setting: str) -> torch.device:
    """The device that `training.device` names; `auto` takes the first usable GPU, else the CPU.

    Raises:
        DeviceError: if it is not there or cannot be used, with the reason and what is there.
    """
    found = devices()
    usable = {device.id: device for device in found if device.usable}
    gpus = [name for name in usable if name != "cpu"]
    wanted = setting
    if setting == "auto":
        wanted = next(iter(gpus), "cpu")
    elif setting == "cuda":
        wanted = next((name for name in gpus if name.startswith("cuda")), setting)
    if wanted in usable:
        return torch.device(wanted)
    reason = unusable_gpu() if setting.startswith("cuda") else None
    here = ", ".join(f"{device.id} ({device.name})" for device in usable.values())
    raise DeviceError(reason or f"This machine has no device {setting!r}.", f"Choose auto or one of: {here}.")


def pick_precision(setting: str, device: torch.device) -> str:
    """The number format that `training.precision` names on this device: fp32, bf16 or fp16.

    `auto` is bf16 where the hardware calculates in it natively and fp32 elsewhere. On CPUs without it bf16 works, but
    slower than fp32.

    Raises:
        DeviceError: if the device cannot calculate in that format.
        ConfigError: if there is no such format.
    """
    native = device.type != "mps" and next((known.bf16 for known in devices() if known.id == _id(device)), False)
    if setting == "auto":
        return "bf16" if native else "fp32"
    if setting == "fp16" and device.type == "cpu":
        raise DeviceError("Training in fp16 needs a GPU; this run uses the CPU.", "Choose auto, bf16 or fp32.")
    if setting == "bf16" and device.type == "cuda" and not native:
        raise DeviceError(
            f"{device_name(device)} cannot calculate in bf16; GPUs can from compute capability 8.0 on.",
            "Choose auto, fp16 or fp32.",
        )
    if setting not in ("fp32", "bf16", "fp16"):
        raise ConfigError(
            "training.precision", f"There is no precision named {setting!r}.", "Allowed: auto, fp32, bf16, fp16."
        )
    return setting


def _id(device: torch.device) -> str:
    return f"cuda:{device.index or 0}" if device.type == "cuda" else device.type


def unusable_gpu() -> str | None:
    """Why a GPU that is in this machine cannot be used, in one sentence; None if there is none or all is well."""
    if any(device.id != "cpu" and device.usable for device in devices()):
        return None
    vendor = _gpu_vendor()
    if vendor is None:
        return None
    maker, reason = ("NVIDIA", _cuda_problem()) if vendor == NVIDIA else ("AMD", _rocm_problem())
    return f"This machine has an {maker} GPU, but it cannot be used: {reason}."


@cache
def _gpu_vendor() -> str | None:
    """The vendor of a GPU in this machine, whether PyTorch sees it or not."""
    on_bus = set(_pci_gpus(Path("/sys/bus/pci/devices")))
    if NVIDIA in on_bus or any(Path("/proc/driver/nvidia/gpus").glob("*")) or _listed_by_nvidia_smi():
        return NVIDIA
    return AMD if AMD in on_bus else None


def _pci_gpus(bus: Path) -> Iterator[str]:
    """Vendor ids of the GPUs below `/sys/bus/pci/devices`."""
    for device in bus.glob("*"):
        try:
            vendor = (device / "vendor").read_text().strip()
            is_display = (device / "class").read_text().startswith("0x03")
            own_memory = device / "mem_info_vram_total"
            if is_display and (vendor == NVIDIA or int(own_memory.read_text()) >= MIN_AMD_MEMORY):
                yield vendor
        except (OSError, ValueError):  # not a display, or a driver that does not tell its memory
            continue


def _listed_by_nvidia_smi() -> bool:
    """Whether the driver's own tool names a GPU; under WSL there is neither a PCI device nor /proc/driver."""
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        asked = subprocess.run(("nvidia-smi", "-L"), capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.stdout.startswith("GPU ")


def _rocm_problem() -> str:
    if torch.version.hip is None:
        return "this PyTorch is not built for ROCm, which AMD's GPUs need"
    return "ROCm finds no GPU it supports; the driver amdgpu may be missing or too old"


_DRIVER_PROBLEMS = (
    ("too old", "its driver is too old for CUDA {cuda}, which this PyTorch is built for; update the driver"),
    ("no nvidia driver", "no NVIDIA driver is loaded; a container must be started with access to the GPU"),
)
"""What PyTorch says when CUDA does not start, and what we say."""


def _cuda_problem() -> str:
    if torch.version.cuda is None:
        return "this PyTorch is built without CUDA; install the build for your CUDA version from pytorch.org"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.cuda.init()
    except (RuntimeError, AssertionError) as problem:
        text = str(problem)
        for part, words in _DRIVER_PROBLEMS:
            if part in text.lower():
                return words.format(cuda=torch.version.cuda)
        return f"CUDA does not start ({text.splitlines()[0].rstrip('.') or 'no reason given'})"
    if torch.cuda.device_count() == 0:
        return "it is hidden by CUDA_VISIBLE_DEVICES or has no driver"
    major, minor = torch.cuda.get_device_capability(0)
    built = ", ".join(torch.cuda.get_arch_list())
    return f"its compute capability {major}.{minor} is not among those this PyTorch is built for ({built})"
