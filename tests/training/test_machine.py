from __future__ import annotations

import json
from pathlib import Path

from cnncore.training.machine import machine_facts


def test_facts_are_plain_and_complete(tmp_path: Path) -> None:
    facts = machine_facts(tmp_path / "not" / "made" / "yet")
    assert json.loads(json.dumps(facts)) == facts
    assert facts["disk"]["free"] > 0
    assert facts["device"] in {device["id"] for device in facts["devices"]}
    assert set(facts["datasets"]) >= {"mnist5k"}


def test_data_sets_at_hand_are_weighed(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"):
        (folder / name).write_bytes(bytes(10))
    assert machine_facts(tmp_path)["datasets"]["cifar10"] == 70
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(bytes(30))
    assert machine_facts(tmp_path)["datasets"]["cifar10"] == 100
