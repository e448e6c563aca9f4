"""Files of weights that are damaged, hostile or not what they seem are refused in one sentence."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cnncore.errors import WeightsError
from cnncore.models import weights_file
from cnncore.models.weights_file import read_weights


def state() -> dict[str, Tensor]:
    return {"fc.weight": torch.arange(6.0).reshape(2, 3), "fc.bias": torch.zeros(2)}


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "weights.pth")
    torch.save(state(), tmp_path / "weights.safetensors")
    torch.save(state(), tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    files = [read_weights(tmp_path / name) for name in ("weights.pth", "weights.safetensors", "old.bin")]
    for file in files:
        assert {name: value.tolist() for name, value in file.tensors.items()} == {
            name: value.tolist() for name, value in state().items()
        }
    assert [file.ordered for file in files] == [False, True, True]


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "net"])
def test_a_checkpoint_is_opened(tmp_path: Path, key: str) -> None:
    torch.save({"epoch": 3, key: {**state(), "version": 2}, "optimizer": {}}, tmp_path / "checkpoint.pt")
    file = read_weights(tmp_path / "checkpoint.pt")
    assert list(file.tensors) == ["fc.weight", "fc.bias"]
    assert f'"{key}"' in file.notes[0]
    assert "version" in file.notes[1]


class Attack:
    """What a pickle does when it is read carelessly."""

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.touched,)


def test_nothing_in_a_pickle_is_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    torch.save({"fc.weight": torch.zeros(1), "payload": Attack(touched)}, tmp_path / "attack.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Attack(touched)))
    for name in ("attack.pth", "plain.pth"):
        with pytest.raises(WeightsError, match=name):
            read_weights(tmp_path / name)
    assert not touched.exists()


def test_a_whole_pickled_model_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "whole.pth")
    with pytest.raises(WeightsError, match=r"Sequential.*run code.*state_dict\(\)"):
        read_weights(tmp_path / "whole.pth")


def header(text: str, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text.encode()


DAMAGED = {
    "empty": b"",
    "text": b"these are no weights at all",
    "huge header": header("{}", 2**60),
    "no JSON": header("{]" + " " * 20),
    "outside": header(json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}})),
    "lying shape": header(json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}})) + b"0000",
    "half a zip": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"a\.pth is damaged, or no file of weights"):
        read_weights(tmp_path / "a.pth")


def test_a_zip_of_a_later_version(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("a/data.pkl")
    entry.extract_version = 99
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr(entry, b"")
    with pytest.raises(WeightsError, match=r"a\.pth is damaged, or no file of weights"):
        read_weights(tmp_path / "a.pth")


@pytest.mark.parametrize("save", [torch.save, save_file], ids=["torch", "safetensors"])
def test_truncated_files(tmp_path: Path, save: Callable[[dict[str, Tensor], Path], None]) -> None:
    path = tmp_path / "cut.pth"
    save({"a": torch.zeros(2_000)}, path)
    path.write_bytes(path.read_bytes()[:4_000])
    with pytest.raises(WeightsError, match="damaged"):
        read_weights(path)


def test_an_archive_that_grows_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 50_000_000)
    with pytest.raises(WeightsError, match="unpacks to 47 MiB"):
        read_weights(tmp_path / "bomb.pth")


def test_what_is_no_state_dict(tmp_path: Path) -> None:
    for content, words in (([1, 2], "a list"), ({"a": {"b": 1}}, "without tensors"), (torch.zeros(2), "a Tensor")):
        torch.save(content, tmp_path / "a.pt")
        with pytest.raises(WeightsError, match=words):
            read_weights(tmp_path / "a.pt")


def test_tensors_must_be_plain(tmp_path: Path) -> None:
    for tensor in (torch.eye(3).to_sparse(), torch.zeros(2, dtype=torch.complex64)):
        torch.save(OrderedDict(a=tensor), tmp_path / "a.pt")
        with pytest.raises(WeightsError, match="no plain tensor"):
            read_weights(tmp_path / "a.pt")


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(state(), tmp_path / "a.pt")
    monkeypatch.setattr(weights_file, "MAX_TENSORS", 1)
    with pytest.raises(WeightsError, match="2 tensors; at most 1"):
        read_weights(tmp_path / "a.pt")
    monkeypatch.setattr(weights_file, "MAX_FILE_BYTES", 10)
    with pytest.raises(WeightsError, match="MiB are read"):
        read_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("path", ["nowhere.pth", ""])
def test_what_cannot_be_opened(tmp_path: Path, path: str) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        read_weights(tmp_path / path)


def test_names_from_a_file_stay_on_one_line() -> None:
    assert weights_file.shortened("a\n\x1b[31mb") == "a  [31mb"
    assert weights_file.shortened("x" * 81) == "x" * 77 + "..."
    assert weights_file.shortened("x" * 80) == "x" * 80
