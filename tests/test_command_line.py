"""The command line: what it prints is what the store holds, and what goes wrong is one line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnncore.__main__ import main
from cnncore.catalog import MODELS
from cnncore.commands import COMMANDS
from cnncore.config import FIELDS, TrainConfig, meaning
from cnncore.runs.store import RunStore
from tests import fake_runs

pytestmark = pytest.mark.slow


def cnncore(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cnncore", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ.copy(), timeout=120)


def in_process(arguments: list[str]) -> None:
    """The same without the seconds that a process takes to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNLAB_TUNED", "1")
        patch.setattr("sys.argv", ["cnncore", *arguments])
        main()


def test_train_show_evaluate_and_resume(store: RunStore) -> None:
    small = ("--set", "data.train_images=200", "--set", "training.batch_size=50")
    trained = cnncore("train", "--model", "lenet_tutorial", "--dataset", "mnist5k", "--epochs", "2", "--json", *small)
    assert trained.returncode == 0, trained.stderr
    lines = [json.loads(line) for line in trained.stdout.splitlines()]
    assert [line.get("event") for line in lines] == ["start", "epoch", "epoch", None]
    last = lines[-1]
    assert 0 < last["test_accuracy"] < 1
    assert last["test_correct"] == round(last["test_accuracy"] * last["test_count"])
    run = store.get(last["run"])
    assert run.status == "finished"
    assert run.config["training"]["batch_size"] == 50

    evaluated = json.loads(cnncore("evaluate", run.id[:8], "--split", "test").stdout)
    assert evaluated["correct"] == last["test_correct"]
    assert store.get(run.id).summary["test_scored"] == 2

    shown = cnncore("show", run.id).stdout
    assert "training.batch_size = 50" in shown
    assert run.id in cnncore("runs").stdout

    resumed = cnncore("resume", run.id, "--more-epochs", "1", "--json")
    assert json.loads(resumed.stdout.splitlines()[-1])["status"] == "finished"
    assert store.get(run.id).summary["step"] == 12
    assert store.get(run.id).summary["test_scored"] == 3


@pytest.mark.parametrize("more", ["0", "-1", "2001"])
def test_a_finished_run_is_not_resumed_for_nothing(
    more: str, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    run = store.create(TrainConfig().model_dump(mode="json"), name="done", status="starting")
    store.end(run.id, "finished")
    for queue in ([], ["--queue"]):
        with pytest.raises(SystemExit) as end:
            in_process(["resume", run.id, "--more-epochs", more, *queue])
        error = capsys.readouterr().err
        assert (end.value.code, error.count("\n")) == (2, 1)
        assert "--more-epochs" in error
    after = store.get(run.id)
    assert (after.status, after.config) == ("finished", run.config)


def test_a_training_that_fails_says_so_in_its_last_json_line(
    store: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnncore.worker.stop_on_signals", lambda execution: None)  # pytest's own handlers stay
    with pytest.raises(SystemExit) as end:
        in_process(["train", "--dataset", "folder", "--set", f"data.path={tmp_path / 'gone'}", "--json"])
    told = capsys.readouterr()
    last = json.loads(told.out.splitlines()[-1])
    (run,) = store.list()
    assert end.value.code == 2
    assert last == {"run": run.id, "status": "failed", "error": run.error, "hint": run.hint}
    assert (run.error or "no error") in told.err


def test_the_list_tells_trainings_and_searches_apart(store: RunStore) -> None:
    for kind in ("train", "find_lr"):
        store.create({}, name="Same name", kind=kind)
    assert [line.split()[1] for line in cnncore("runs").stdout.splitlines()] == ["kind", "find_lr", "train"]
    listed = [json.loads(line) for line in cnncore("runs", "--json").stdout.splitlines()]
    assert [run["kind"] for run in listed] == ["find_lr", "train"]


def test_runs_are_found_named_tagged_deleted_and_restored(store: RunStore) -> None:
    run, other = (store.create({"model": {"name": name}}, name=name) for name in ("cnn3", "vgg11"))
    for each in (run, other):
        store.ask(each.id, "stop")
    assert "good, first" in cnncore("tag", run.id, "good", "first").stdout
    assert cnncore("tag", run.id, "--remove", "first").stdout.endswith(": good\n")
    assert "is now called My run" in cnncore("rename", run.id, "My run").stdout
    for filters in (("--tag", "good"), ("--model", "cnn3"), ("--text", "my")):
        assert [json.loads(line)["run"] for line in cnncore("runs", "--json", *filters).stdout.splitlines()] == [run.id]
    assert "restore" in cnncore("delete", run.id[:8]).stdout
    assert run.id not in cnncore("runs").stdout
    assert run.id in cnncore("runs", "--deleted").stdout
    assert cnncore("restore", run.id[:8]).stdout == "Restored 1.\n"
    assert cnncore("delete", run.id, other.id).returncode == 0
    assert "Removed 2" in cnncore("runs", "--purge").stdout
    assert "can be restored" in cnncore("restore", run.id).stderr
    assert cnncore("restore", "").stderr.startswith("error: No deleted run")


def test_missing_runs_are_planned(store: RunStore) -> None:
    from cnncore.config import preset

    run = store.create(preset("lenet_20s").model_dump(mode="json"), name="LeNet")
    planned = json.loads(cnncore("repeat", run.id, "--seeds", "3", "--dry-run", "--json").stdout)
    assert (planned["missing"], planned["existing"], planned["runs"]) == (2, 1, [])
    grid = ("grid", "--preset", "lenet_20s", "--vary", "optimizer.lr=3e-3,1e-2", "--vary", "training.epochs=8,9")
    assert "3 runs would be queued; 1 exist already." in cnncore(*grid, "--dry-run").stdout
    assert len(store.list()) == 1


def test_default_batch_of_the_tutorial_lenet_is_128() -> None:
    assert (TrainConfig().model.name, TrainConfig().training.batch_size) == ("lenet_tutorial", 128)


def test_profile_counts_parameters() -> None:
    profile = json.loads(cnncore("profile", "cnn3", "--json").stdout)
    assert profile["num_params"] == 123_222
    assert "431,080" in cnncore("profile", "lenet_tutorial").stdout


def test_profile_shows_windows_sums_and_memory() -> None:
    printed = cnncore("profile", "resnet20", "--batch", "64").stdout
    assert max(map(len, printed.splitlines())) <= 120
    assert "3×3 /2" in printed
    assert "by stage" in printed
    assert "batch of 64" in printed
    sums = json.loads(cnncore("profile", "resnet20", "--batch", "64", "--json").stdout)
    assert sums["activation_bytes"] == 64 * (4 * sums["activations"] + 8 * sums["indices"])
    assert sums["by_kind"]["dense"]["num_params"] == 650


def test_latency_is_measured_and_kept(store: RunStore) -> None:
    measured = cnncore("latency", "lenet5", "--batch", "2", "1", "--repeats", "5", "--json")
    assert measured.returncode == 0, measured.stderr
    *timings, last = (json.loads(line) for line in measured.stdout.splitlines())
    assert [timing["batch_size"] for timing in timings] == [1, 2]
    assert last["status"] == "finished"
    run = store.get(last["run"])
    assert (run.kind, run.summary["timings"][0]["ms"]) == ("latency", timings[0]["ms"])
    shown = cnncore("show", run.id).stdout
    assert "images/s" in shown
    for command in (("evaluate", run.id), ("resume", run.id)):
        refused = cnncore(*command)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1), refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "--model", "lenet6"), "Did you mean"),
        (("train", "--set", "optimizer.lr=fast"), "more than 0 up to 10"),
        (("train", "--set", "optimizer.lr"), "NAME=VALUE"),
        (("train", "--epochs", "0"), "from 1 up to"),
        (("train", "--preset", "nothing"), "preset"),
        (("train", "--config", "nowhere.json"), "cannot be read"),
        (("train", "--dataset", "folder"), "path"),
        (("show", "zzzz"), "no run"),
        (("stop", "zzzz"), "no run"),
        (("evaluate", "zzzz"), "no run"),
        (("profile", "resnet-20"), "resnet20"),
        (("profile", "lenet5", "--batch", "0"), "from 1 up to 4,096"),
        (("latency", "lenet6"), "Did you mean"),
        (("latency", "lenet5", "--repeats", "1"), "from 5 up to 1,000"),
        (("latency", "lenet5", "--batch", *"1234567891234"), "at most 12"),
        (("repeat", "zzzz"), "no run"),
        (("grid",), "1 or 2 settings"),
        (("grid", "--vary", "optimizer.lr"), "NAME=VALUE"),
        (("grid", "--vary", "optimizer.lr=fast"), "cannot be"),
        (("delete", "zzzz"), "no run"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...], words: str, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        in_process(list(arguments))
    told = capsys.readouterr()
    assert (end.value.code, told.out) == (2, "")
    assert words in told.err
    assert len(told.err.strip().splitlines()) == 1, told.err
    assert store.list() == ()


def test_a_network_is_never_scored_on_its_training_images(store: RunStore) -> None:
    from cnncore.analysis.evaluation import evaluate_run
    from cnncore.config import replace
    from cnncore.errors import DataError
    from cnncore.places import artifacts_dir, data_dir

    config = replace(TrainConfig(), {"data.dataset": "mnist"})
    run = store.create(config.model_dump(mode="json"), name="on MNIST", status="starting")
    with pytest.raises(DataError, match="drawn from the training images"):
        evaluate_run(store, artifacts_dir(), data_dir(), run, "test", "mnist5k")


def test_export_writes_each_kind(store: RunStore, artifacts: Path, tmp_path: Path) -> None:
    runs = [
        fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=40, name=f"=Run {number}"))
        for number in range(2)
    ]
    ids = [run.id for run in runs]
    for kind, out in (("html", "out/report.html"), ("csv", "out/tables.zip"), ("tensorboard", "out/events")):
        done = cnncore("export", *ids, "--to", kind, "--out", str(tmp_path / out))
        assert done.returncode == 0, done.stderr
        assert str(tmp_path / out) in done.stdout
    assert "2 runs compared" in (tmp_path / "out/report.html").read_text()
    assert len(list((tmp_path / "out/events").iterdir())) == 2
    refused = cnncore("export", *ids, "--to", "onnx")
    assert (refused.returncode, refused.stderr) == (2, "error: An ONNX file holds one network. Name one run.\n")
    unwritable = cnncore("export", ids[0], "--to", "csv", "--out", str(tmp_path))
    assert unwritable.returncode == 2
    assert unwritable.stderr.startswith("error: The file cannot be written")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        in_process([name, "--help"])
    assert end.value.code == 0
    assert f"python -m cnncore {name}" in capsys.readouterr().out
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"cnncore.*\b{name}\b", readme)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("runs --limit 99999999999999999999", "--limit cannot be 99,999"),
        ("runs --limit -3", "--limit cannot be -3"),
        ("runner --slots 0", "--slots cannot be 0"),
        ("grid --vary optimizer.lr=1,2 --vary optimizer.lr=3", "varied twice"),
        ("grid --vary optimizer.lr", "--vary takes NAME=VALUE"),
        ("grid --vary model.width=1 --tag " + "x" * 41, "A tag has at most 40"),
        ("train --queue --name " + "x" * 201, "1 to 200 characters"),
        ("show \udcff", "There is no run"),
        ("restore a", "No deleted run matches"),
    ],
)
def test_what_is_impossible_is_one_line(
    line: str, told: str, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        in_process(line.split())
    error = capsys.readouterr().err
    assert (end.value.code, error.count("\n")) == (2, 1)
    assert error.startswith("error: ")
    assert told in error
    assert store.list() == ()


@pytest.mark.parametrize("text", ["two", "0", "65", "-1", "1.5", "²"])
@pytest.mark.parametrize("line", ["runner", "train --queue"])
def test_a_number_of_slots_that_is_none_is_one_line(
    line: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CNNLAB_SLOTS", text)
    with pytest.raises(SystemExit) as end:
        in_process(line.split())
    error = capsys.readouterr().err
    assert (end.value.code, error.count("\n")) == (2, 1)
    assert f"CNNLAB_SLOTS is {text!r}. Set it to a whole number from 1 to 64" in error


def test_backbones_are_listed_with_what_is_at_hand(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        in_process(["backbones", "--json"])
    assert not ended.value.code
    lines = {line["backbone"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert lines["efficientnet_lite0"]["at_hand"]
    assert lines["resnet50"]["num_params"] == 25_557_032
    with pytest.raises(SystemExit):
        in_process(["backbones"])
    text = capsys.readouterr().out
    assert re.search(r"efficientnet_lite0 +4,652,008 +0\.39 +75\.1 +19 +yes", text)
    assert "non-commercial research" in text


def test_a_backbone_that_is_at_hand_is_not_downloaded(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        in_process(["backbones", "--download", "efficientnet_lite0"])
    assert capsys.readouterr().out.strip().endswith("efficientnet-lite0-57934424.pth")


def test_the_help_of_train_explains_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        in_process(["train", "--help"])
    told = capsys.readouterr().out
    for name in FIELDS:
        assert f"\n  {name}=" in told
        assert len(meaning(name)) > 10, name
    assert "\n  optimizer.lr=0.001\n      learning rate. Allowed: more than 0 up to 10.\n" in told
    assert max(map(len, told.splitlines())) <= 120


@pytest.mark.parametrize(
    ("setting", "known"), [("model.name=qqq", f"There are {len(MODELS)}, for example"), ("qqq=1", "model.name")]
)
def test_what_resembles_nothing_is_answered_with_examples(
    setting: str, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        in_process(["train", "--set", setting])
    assert known in capsys.readouterr().err
