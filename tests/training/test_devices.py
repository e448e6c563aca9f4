from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cnncore.errors import ConfigError, DeviceError
from cnncore.training import devices as module
from cnncore.training.devices import (
    AMD,
    NVIDIA,
    Device,
    device_name,
    devices,
    pick_device,
    pick_precision,
    runs_on,
    unusable_gpu,
)

Have = Callable[..., None]

CPU = Device("cpu", "Some CPU", cores=8)
H100 = Device("cuda:0", "NVIDIA H100", memory_mib=80_000, bf16=True)
OLD = Device("cuda:1", "Tesla K80", memory_mib=11_000, usable=False)
V100 = Device("cuda:0", "Tesla V100", memory_mib=16_000)
APPLE = Device("mps", "GPU of the Apple M3")


@pytest.fixture
def have(monkeypatch: pytest.MonkeyPatch) -> Have:
    """Pretends that PyTorch sees these processors."""

    def pretend(*found: Device) -> None:
        monkeypatch.setattr(module, "devices", lambda: list(found))
        monkeypatch.setattr(module, "device_name", lambda device: str(device))

    return pretend


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    cached = (module.cpu_name, module.cpu_flags, module._gpu_vendor)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def test_the_cpu_is_always_there() -> None:
    first = devices()[0]
    assert first.id == "cpu"
    assert first.usable
    assert first.cores is not None
    assert first.cores >= 1
    assert first.name == device_name(torch.device("cpu"))
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("found", "setting", "expected"),
    [
        ((CPU,), "auto", "cpu"),
        ((CPU, H100, OLD), "auto", "cuda:0"),
        ((CPU, H100, OLD), "cuda", "cuda:0"),
        ((CPU, H100, OLD), "cuda:0", "cuda:0"),
        ((CPU, H100, OLD), "cpu", "cpu"),
        ((CPU, OLD), "auto", "cpu"),
        ((CPU, APPLE), "auto", "mps"),
        ((CPU, APPLE), "mps", "mps"),
    ],
)
def test_the_device_that_is_meant(have: Have, found: tuple[Device, ...], setting: str, expected: str) -> None:
    have(*found)
    assert pick_device(setting) == torch.device(expected)


@pytest.mark.parametrize(
    ("found", "setting"),
    [((CPU,), "cuda"), ((CPU,), "mps"), ((CPU, H100), "cuda:1"), ((CPU, H100, OLD), "cuda:1"), ((CPU, APPLE), "cuda")],
)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(
    have: Have, monkeypatch: pytest.MonkeyPatch, found: tuple[Device, ...], setting: str
) -> None:
    have(*found)
    monkeypatch.setattr(module, "_gpu_vendor", lambda: None)
    with pytest.raises(DeviceError, match=f"no device '{setting}'") as error:
        pick_device(setting)
    assert "cpu (Some CPU)" in error.value.hint


def test_a_gpu_that_is_there_but_unusable_is_refused_with_the_reason(
    have: Have, monkeypatch: pytest.MonkeyPatch
) -> None:
    have(CPU)
    monkeypatch.setattr(module, "_gpu_vendor", lambda: NVIDIA)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(DeviceError, match="built without CUDA"):
        pick_device("cuda")


@pytest.mark.parametrize(
    ("device", "setting", "expected"),
    [
        (H100, "auto", "bf16"),
        (V100, "auto", "fp32"),
        (V100, "fp16", "fp16"),
        (CPU, "auto", "fp32"),
        (CPU, "bf16", "bf16"),
        (Device("cpu", "with bf16", bf16=True), "auto", "bf16"),
        (APPLE, "auto", "fp32"),
        (APPLE, "fp16", "fp16"),
    ],
)
def test_the_precision_that_is_meant(have: Have, device: Device, setting: str, expected: str) -> None:
    have(device)
    assert pick_precision(setting, torch.device(device.id)) == expected


def test_an_impossible_precision_is_refused(have: Have) -> None:
    have(CPU, V100)
    with pytest.raises(DeviceError, match="needs a GPU"):
        pick_precision("fp16", torch.device("cpu"))
    with pytest.raises(DeviceError, match=r"compute capability 8\.0"):
        pick_precision("bf16", torch.device("cuda"))
    with pytest.raises(ConfigError, match="no precision named 'fp8'"):
        pick_precision("fp8", torch.device("cpu"))


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), True), ((8, 9), True), ((8, 0), True), ((7, 0), False), ((10, 3), True), ((3, 7), False)],
)
def test_machine_code_runs_within_its_major_version(capability: tuple[int, int], expected: bool) -> None:
    assert runs_on(capability, ["sm_75", "sm_80", "sm_90", "sm_100a", "strange"]) is expected
    assert runs_on((12, 0), ["sm_90", "compute_90"])
    assert not runs_on((12, 0), ["sm_90"])


@pytest.mark.parametrize(
    ("text", "name", "native"),
    [
        ("model name\t: AMD EPYC 9654\nflags\t\t: fpu sse avx512_bf16 aes\n", "AMD EPYC 9654", True),
        ("model name\t: Intel Xeon\nflags\t\t: fpu avx512f amx_bf16\n", "Intel Xeon", True),
        ("model name\t: Intel Core i5\nflags\t\t: fpu avx2\n", "Intel Core i5", False),
        ("processor\t: 0\nFeatures\t: fp asimd bf16 sve\n", None, True),
        ("", None, False),
    ],
)
def test_bf16_is_read_from_the_cpus_flags(
    monkeypatch: pytest.MonkeyPatch, text: str, name: str | None, native: bool
) -> None:
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module, "_cpuinfo", lambda: text)
    first = devices()[0]
    assert first.bf16 is native
    assert first.name == name or (name is None and first.name)


def pci_device(bus: Path, name: str, vendor: str, kind: str, memory: int | None = None) -> None:
    folder = bus / name
    folder.mkdir(parents=True)
    (folder / "vendor").write_text(f"{vendor}\n")
    (folder / "class").write_text(f"{kind}\n")
    if memory is not None:
        (folder / "mem_info_vram_total").write_text(f"{memory}\n")


def test_gpus_are_found_on_the_bus(tmp_path: Path) -> None:
    pci_device(tmp_path, "0000:00:00.0", "0x8086", "0x030000")
    pci_device(tmp_path, "0000:00:01.0", NVIDIA, "0x040300")  # the sound of an NVIDIA card
    pci_device(tmp_path, "0000:00:02.0", AMD, "0x030000", memory=512 << 20)  # integrated
    assert list(module._pci_gpus(tmp_path)) == []
    pci_device(tmp_path, "0000:01:00.0", NVIDIA, "0x030200")
    pci_device(tmp_path, "0000:02:00.0", AMD, "0x038000", memory=16 << 30)
    assert sorted(module._pci_gpus(tmp_path)) == [AMD, NVIDIA]
    assert list(module._pci_gpus(tmp_path / "missing")) == []


def test_no_gpu_or_a_usable_one_needs_no_explanation(have: Have, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_gpu_vendor", lambda: None)
    have(CPU)
    assert unusable_gpu() is None
    monkeypatch.setattr(module, "_gpu_vendor", lambda: NVIDIA)
    have(CPU, H100, OLD)
    assert unusable_gpu() is None


def fail(text: str) -> Callable[[], None]:
    def start() -> None:
        warnings.warn("CUDA initialization: something is wrong", stacklevel=1)
        raise RuntimeError(text)

    return start


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The NVIDIA driver on your system is too old (found version 11040).", r"too old for CUDA 13\.2"),
        ("Found no NVIDIA driver on your system. Please check", "no NVIDIA driver is loaded"),
        ("Unexpected error from cudaGetDeviceCount().\nMore.", r"does not start \(Unexpected error"),
    ],
)
def test_why_cuda_does_not_start(have: Have, monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    have(CPU)
    monkeypatch.setattr(module, "_gpu_vendor", lambda: NVIDIA)
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    monkeypatch.setattr(torch.cuda, "init", fail(text))
    assert re.search(words, str(unusable_gpu()))


def test_a_gpu_this_pytorch_has_no_code_for(have: Have, monkeypatch: pytest.MonkeyPatch) -> None:
    have(CPU, OLD)
    fake = SimpleNamespace(
        init=lambda: None,
        device_count=lambda: 1,
        get_device_capability=lambda index: (3, 7),
        get_arch_list=lambda: ["sm_75", "sm_80"],
    )
    monkeypatch.setattr(module, "_gpu_vendor", lambda: NVIDIA)
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    monkeypatch.setattr(torch, "cuda", fake)
    assert unusable_gpu() == (
        "This machine has an NVIDIA GPU, but it cannot be used: its compute capability 3.7 is not among those this "
        "PyTorch is built for (sm_75, sm_80)."
    )


def test_an_amd_gpu_needs_rocm(have: Have, monkeypatch: pytest.MonkeyPatch) -> None:
    have(CPU)
    monkeypatch.setattr(module, "_gpu_vendor", lambda: AMD)
    monkeypatch.setattr(torch.version, "hip", None)
    assert "not built for ROCm" in str(unusable_gpu())
