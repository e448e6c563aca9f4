"""A run of another version of the lab: whatever wants its settings says so in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from cnncore.__main__ import main
from cnncore.config import TrainConfig
from cnncore.errors import RunError
from cnncore.runs.log_csv import csv_zip
from cnncore.runs.store import RunStore
from cnncore.runs.stored_config import stored_config
from cnncore.runs.tensorboard import event_file

UNKNOWN: dict[str, dict[str, Any]] = {
    "model.wings": {"model": {"name": "cnn3", "wings": 2}},
    "optimizer.name": {"optimizer": {"name": "of the future"}},
    "training.epochs": {"training": {"epochs": "many"}},
    "imagination": {"imagination": {}},
}


def test_settings_come_back(store: RunStore, tiny: TrainConfig) -> None:
    assert stored_config(store.create(tiny.model_dump(mode="json"), name="a")) == tiny


@pytest.mark.parametrize("setting", UNKNOWN)
def test_an_unknown_setting_is_named(store: RunStore, setting: str) -> None:
    run = store.create(UNKNOWN[setting], name="Old one")
    with pytest.raises(RunError, match=f"Old one are of another version.* its {setting}"):
        stored_config(run)
    assert csv_zip(store, [run.id])
    assert event_file(store, run)


def test_a_measurement_has_no_settings_of_a_training(store: RunStore) -> None:
    with pytest.raises(RunError, match="measurement of latency"):
        stored_config(store.create({"model": {"name": "cnn3"}}, name="a", kind="latency"))


@pytest.mark.parametrize("kind", ["train", "latency"])
def test_a_worker_ends_such_a_run_with_the_sentence(store: RunStore, kind: str) -> None:
    from cnncore.training.api import carry_out

    run = store.create(UNKNOWN["model.wings"], name="a", kind=kind, status="starting")
    ended, status = carry_out(store, run)
    assert status == ended.status == "failed"
    assert "another version" in (ended.error or "")


@pytest.mark.parametrize(
    "command", ["show {}", "evaluate {}", "resume {}", "repeat {}", "grid --run {} --vary model.width=1"]
)
def test_commands_say_it_in_one_line(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    run = store.create(UNKNOWN["model.wings"], name="a")
    store.ask(run.id, "stop")
    monkeypatch.setenv("CNNLAB_TUNED", "1")
    monkeypatch.setattr("sys.argv", ["cnncore", *command.format(run.id).split()])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("error: The settings of a are of another version")
    assert told.count("\n") == 1
