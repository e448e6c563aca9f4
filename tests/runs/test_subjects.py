"""Networks by name, and the stamp that tells their weights from older ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnncore.catalog import MODELS
from cnncore.catalog.backbones import BACKBONES
from cnncore.errors import ConfigError, RunError, WeightsError
from cnncore.runs.artifacts import WEIGHTS, WEIGHTS_CARD, run_dir
from cnncore.runs.subjects import parse_subject, subject_stamp

RUN = "abcdef012345"


@pytest.mark.parametrize("text", [f"run:{RUN}", *(f"backbone:{key}" for key in BACKBONES), "untrained:resnet50"])
def test_a_name_is_read_and_written_the_same(text: str) -> None:
    assert str(parse_subject(text)) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no network named ''"),
        ("run:", "There is no network named"),
        ("run:../../etc", "There is no network named"),
        (f"run:{RUN}\n", "There is no network named"),
        ("run:ABCDEF", "There is no network named"),
        (f"RUN:{RUN}", "There is no network named"),
        ("backbone:resnet5", "There is no backbone named 'resnet5'"),
        ("untrained:resnet51", "There is no network named 'resnet51'"),
        ("x" * 99_999, "There is no network named"),
        ("backbone:" + "x" * 99_999, "There is no backbone named"),
        ("<b>:1", "There is no network named"),
    ],
)
def test_what_names_none_is_one_short_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        parse_subject(text)
    assert len(str(caught.value)) < 300


def stamp(artifacts: Path, data_root: Path, text: str) -> str:
    return subject_stamp(artifacts, data_root, parse_subject(text))


def test_the_stamp_of_a_run_changes_with_its_weights_and_with_what_stands_beside_them(
    artifacts: Path, data_root: Path
) -> None:
    with pytest.raises(RunError, match="files of run abcdef012345 are gone"):
        stamp(artifacts, data_root, f"run:{RUN}")
    folder = run_dir(artifacts, RUN)
    folder.mkdir(parents=True)
    with pytest.raises(RunError, match="no trained weights yet"):
        stamp(artifacts, data_root, f"run:{RUN}")
    stamps: list[str] = []
    for number, name in enumerate((WEIGHTS, WEIGHTS_CARD, WEIGHTS)):
        (folder / name).write_bytes(bytes(number))
        os.utime(folder / name, ns=(number, number))
        stamps.append(stamp(artifacts, data_root, f"run:{RUN}"))
    assert len(set(stamps)) == 3
    assert stamp(artifacts, data_root, f"run:{RUN}") == stamps[-1]
    assert max(map(len, stamps)) <= 200, "what a request takes"


def test_the_stamp_of_a_backbone_is_that_of_its_file(artifacts: Path, data_root: Path) -> None:
    assert stamp(artifacts, data_root, "backbone:efficientnet_lite0").startswith("[")
    missing = next(key for key, spec in BACKBONES.items() if not spec.package and not spec.hub)
    with pytest.raises(WeightsError, match="are not on this machine") as caught:
        stamp(artifacts, data_root, f"backbone:{missing}")
    assert caught.value.hint.endswith(f"--download {missing}")


def test_every_untrained_network_has_a_stamp(artifacts: Path, data_root: Path) -> None:
    assert {stamp(artifacts, data_root, f"untrained:{name}") for name in MODELS} == {"untrained"}
