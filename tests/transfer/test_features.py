"""Features computed once: they are what the backbone gives every time, in the same order, and never out of date."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.catalog.presence import cache_dir
from cnncore.config import TrainConfig, replace
from cnncore.data import Files, ImageData, Images, Split, open_images
from cnncore.data import folder as folder_module
from cnncore.data.order import Order
from cnncore.errors import DataError
from cnncore.places import PROJECT_ROOT
from cnncore.runs.events import EpochEnd, Finished, StepEnd
from cnncore.runs.store import RunStore
from cnncore.training.execute import Execution
from cnncore.training.freezing import FreezeChange
from cnncore.training.loop import Loaders, fit, make_loaders, with_features
from cnncore.training.state import TrainState, new_state
from cnncore.transfer import feature_store
from cnncore.transfer.feature_store import SUFFIX
from cnncore.transfer.features import provide_features

Calls = list[tuple[str, int, int]]


@pytest.fixture
def config(tiny: TrainConfig) -> TrainConfig:
    """Two epochs of four steps of the head of a narrow ResNet-20."""
    return replace(
        tiny,
        {"model.name": "resnet20", "model.width": 0.25, "transfer.head": "linear", "transfer.frozen": ("all",)},
    )


@pytest.fixture
def images(config: TrainConfig, data_root: Path) -> ImageData:
    return open_images(config.data, data_root)


def state_of(config: TrainConfig, images: ImageData, precision: str = "fp32") -> TrainState:
    state = new_state(config, images.in_shape, len(images.classes), device=torch.device("cpu"), precision=precision)
    state.begin_freezing(1)
    for weight in state.head.parameters():
        # A linear head starts at 0 and would say the same of all features.
        torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(config.training.seed))
    return state


def loaders_of(
    config: TrainConfig, images: ImageData, root: Path, precision: str = "fp32"
) -> tuple[TrainState, Loaders, Calls]:
    """A state, its loaders with features, and what progress was told."""
    state = state_of(config, images, precision)
    calls: Calls = []
    loaders = make_loaders(images, config, state)
    told = lambda text, done, total: calls.append((text, done, total))  # noqa: E731
    return state, with_features(loaders, images, state, root, told), calls


def files(root: Path) -> list[Path]:
    return sorted((cache_dir(root) / "features").glob(f"*{SUFFIX}"))


def features_of(loaders: Loaders, epoch: int = 0) -> torch.Tensor:
    assert loaders.features is not None
    return torch.cat([batch.images for batch in loaders.features.train.epoch(epoch)])


@torch.no_grad()
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 2e-2)])
def test_the_head_gives_what_the_whole_network_gives(
    precision: str, tolerance: float, config: TrainConfig, images: ImageData, tmp_path: Path
) -> None:
    state, loaders, _ = loaders_of(config, images, tmp_path, precision)
    assert loaders.features is not None
    kept = loaders.features
    assert len(kept.train) == len(loaders.train)
    for epoch in (0, 3):
        for whole, part in zip(loaders.train.epoch(epoch, 1), kept.train.epoch(epoch, 1), strict=True):
            assert torch.equal(whole.labels, part.labels)
            expected = state.predict(whole.images).float()
            found = state.predict(part.images, from_features=True).float()
            torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * float(expected.abs().max()))
    for split in ("validation", "test", "validation_examples", "test_examples"):
        batches, others = getattr(loaders, split), getattr(kept, split)
        expected = torch.cat([state.predict(batch.images).float() for batch in batches.epoch(0)])
        found = torch.cat([state.predict(batch.images, from_features=True).float() for batch in others.epoch(0)])
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * float(expected.abs().max()))
        positions = torch.tensor([3, 0])
        assert np.array_equal(batches.pixels_at(positions), others.pixels_at(positions))


def test_features_are_in_the_type_the_backbone_gives(config: TrainConfig, images: ImageData, tmp_path: Path) -> None:
    state, loaders, _ = loaders_of(config, images, tmp_path, "bf16")
    with torch.no_grad(), state.autocast():
        own = state.backbone(next(loaders.train.epoch(0)).images)
    assert features_of(loaders).dtype == own.dtype == torch.bfloat16


def test_training_on_features_is_training_on_images(config: TrainConfig, images: ImageData, tmp_path: Path) -> None:
    config = replace(config, {"transfer.head": "hidden", "transfer.head_dropout": 0.3, "training.ema": 0.9})
    state, loaders, _ = loaders_of(config, images, tmp_path)
    other = state_of(config, images)
    found = [event for event in fit(state, loaders) if isinstance(event, StepEnd | EpochEnd | Finished)]
    expected = [
        event
        for event in fit(other, make_loaders(images, config, other))
        if isinstance(event, StepEnd | EpochEnd | Finished)
    ]
    assert len(found) == len(expected) == 11
    for left, right in zip(found, expected, strict=True):
        if isinstance(left, StepEnd) and isinstance(right, StepEnd):
            assert float(left.loss) == pytest.approx(float(right.loss), rel=1e-4)
        if isinstance(left, Finished) and isinstance(right, Finished):
            assert left.test is not None
            assert right.test is not None
            assert left.test.correct == right.test.correct


def test_unfreezing_goes_on_with_the_images_that_come_next(
    config: TrainConfig, images: ImageData, tmp_path: Path
) -> None:
    state, loaders, _ = loaders_of(config, images, tmp_path)
    other = state_of(config, images)
    changes = [FreezeChange(2, "stage3", frozen=False), FreezeChange(5, "stage3", frozen=True)]
    state.freezes, other.freezes = list(changes), list(changes)
    losses = [float(event.loss) for event in fit(state, loaders) if isinstance(event, StepEnd)]
    expected = [
        float(event.loss) for event in fit(other, make_loaders(images, config, other)) if isinstance(event, StepEnd)
    ]
    assert losses == pytest.approx(expected, rel=1e-3)


def test_resuming_in_the_middle_of_an_epoch_equals_going_through(
    config: TrainConfig, images: ImageData, tmp_path: Path
) -> None:
    config = replace(config, {"augment.flip_horizontal": 0.5, "transfer.views": 3})
    state, loaders, _ = loaders_of(config, images, tmp_path)
    through = [float(event.loss) for event in fit(state, loaders) if isinstance(event, StepEnd)]
    first, loaders, _ = loaders_of(config, images, tmp_path)
    losses: list[float] = []
    for event in fit(first, loaders):
        if isinstance(event, StepEnd):
            losses.append(float(event.loss))
        if first.step == 6:
            break
    resumed = state_of(config, images)
    resumed.restore(first.to_dict())
    loaders = with_features(make_loaders(images, config, resumed), images, resumed, tmp_path, lambda *_: None)
    losses += [float(event.loss) for event in fit(resumed, loaders) if isinstance(event, StepEnd)]
    assert losses == through


def test_a_second_run_computes_nothing(config: TrainConfig, images: ImageData, tmp_path: Path) -> None:
    _, loaders, calls = loaders_of(config, images, tmp_path)
    total = sum(len(split) for split in (images.train, images.validation, images.test) if split is not None)
    assert calls[-1][1:] == (total, total)
    other = replace(config, {"training.seed": 7, "optimizer.lr": 0.1})
    weights = state_of(config, images).backbone.state_dict()
    state = state_of(other, images)
    state.backbone.load_state_dict(weights)
    calls.clear()
    again = with_features(make_loaders(images, other, state), images, state, tmp_path, lambda *call: calls.append(call))
    assert not calls
    assert len(files(tmp_path)) == 1
    assert features_of(again).sum() == pytest.approx(float(features_of(loaders).sum()), rel=1e-4)


def _halves(split: Split) -> tuple[Split, Split]:
    return split.select(torch.arange(0, len(split), 2)), split.select(torch.arange(1, len(split), 2))


@torch.no_grad()
def test_only_images_that_are_new_are_computed(config: TrainConfig, images: ImageData, tmp_path: Path) -> None:
    half, rest = _halves(images.train)
    fewer = dataclasses.replace(images, train=half, validation=None, test=None)
    loaders_of(config, fewer, tmp_path)
    swapped = dataclasses.replace(images, train=rest, validation=half, test=None)
    state, loaders, calls = loaders_of(config, swapped, tmp_path)
    assert calls[-1][1:] == (len(rest), len(rest))
    assert len(files(tmp_path)) == 1
    assert loaders.validation is not None
    assert loaders.features is not None
    assert loaders.features.validation is not None
    (whole,), (part,) = loaders.validation.epoch(0), loaders.features.validation.epoch(0)
    torch.testing.assert_close(state.predict(part.images, from_features=True), state.predict(whole.images))


def test_changed_weights_or_settings_of_the_network_give_another_file(
    config: TrainConfig, images: ImageData, tmp_path: Path
) -> None:
    loaders_of(config, images, tmp_path)
    loaders_of(config, images, tmp_path, "bf16")
    assert len(files(tmp_path)) == 2
    loaders_of(replace(config, {"training.seed": 1}), images, tmp_path)
    assert len(files(tmp_path)) == 3, "other random weights"
    loaders_of(config, dataclasses.replace(images, mean=(0.5,), std=(0.5,)), tmp_path)
    assert len(files(tmp_path)) == 4
    loaders_of(replace(config, {"model.activation": "elu"}), images, tmp_path)
    assert len(files(tmp_path)) == 5
    state = state_of(config, images)
    next(state.backbone.buffers()).add_(0.5)
    provide_features(images, config, state, tmp_path, lambda *_: None)
    assert len(files(tmp_path)) == 6, "other statistics"


def test_a_new_head_on_maps_does_not_get_the_features_of_the_networks_own(
    config: TrainConfig, images: ImageData, tmp_path: Path
) -> None:
    config = replace(config, {"model.name": "nin"})
    for head, ndim in (("network", 4), ("linear", 2)):
        loaders = loaders_of(replace(config, {"transfer.head": head}), images, tmp_path)[1]
        assert loaders.features is not None
        assert next(loaders.features.train.epoch(0)).images.ndim == ndim


def test_views_differ_and_the_first_is_the_image_itself(config: TrainConfig, images: ImageData, tmp_path: Path) -> None:
    augmented = replace(config, {"augment.rotation": 30.0, "augment.flip_horizontal": 0.5})
    plain = features_of(loaders_of(config, images, tmp_path)[1])
    assert torch.equal(features_of(loaders_of(augmented, images, tmp_path)[1]), plain), "one view is the plain one"
    _, loaders, calls = loaders_of(replace(augmented, {"transfer.views": 3}), images, tmp_path)
    assert {text for text, _, _ in calls} == {
        "Computing features of the images, view 2 of 3",
        "Computing features of the images, view 3 of 3",
    }
    assert len(files(tmp_path)) == 3
    assert loaders.features is not None
    by_image: dict[int, set[bytes]] = {}
    for epoch in range(3):
        order = Order(num_images=200, batch_size=50, seed=0).positions(epoch)
        for position, row in zip(order.tolist(), features_of(loaders, epoch), strict=True):
            by_image.setdefault(position, set()).add(row.numpy().tobytes())
    counts = [len(rows) for rows in by_image.values()]
    assert min(counts) >= 2
    assert np.mean(counts) > 2.9, "the views take turns: three epochs show all of them"
    assert torch.equal(features_of(loaders, 1), features_of(loaders, 1))
    assert torch.equal(
        features_of(loaders_of(replace(augmented, {"transfer.views": 3}), images, tmp_path)[1]), features_of(loaders)
    )


def test_nothing_is_kept_where_it_would_not_hold(config: TrainConfig, images: ImageData, tmp_path: Path) -> None:
    for settings in ({"transfer.views": 0}, {"transfer.frozen": ("stem",)}, {"transfer.batch_norm": "adapting"}):
        assert loaders_of(replace(config, settings), images, tmp_path)[1].features is None
    assert not files(tmp_path)


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "flipped": lambda data: data[:-9] + bytes((data[-9] ^ 1,)) + data[-8:],
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_file_is_computed_anew(harm: str, config: TrainConfig, images: ImageData, tmp_path: Path) -> None:
    before = features_of(loaders_of(config, images, tmp_path)[1]).clone()
    (path,) = files(tmp_path)
    path.write_bytes(HARMS[harm](path.read_bytes()))
    _, loaders, calls = loaders_of(config, images, tmp_path)
    assert calls
    torch.testing.assert_close(features_of(loaders), before)
    assert not loaders_of(config, images, tmp_path)[2]


class _InterruptedError(Exception):
    pass


def test_what_is_done_when_it_is_interrupted_is_kept(
    config: TrainConfig, images: ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnncore.transfer.features.MOST_AT_ONCE", 64)
    monkeypatch.setattr(feature_store, "SAVE_EVERY_S", 0.0)
    state = state_of(config, images)

    def progress(text: str, done: int, total: int) -> None:
        if done >= 128:
            raise _InterruptedError

    with pytest.raises(_InterruptedError):
        provide_features(images, config, state, tmp_path, progress)
    _, loaders, calls = loaders_of(config, images, tmp_path)
    total = sum(len(split) for split in (images.train, images.validation, images.test) if split is not None)
    assert calls[0][1:] == (0, total - 128)
    fresh = loaders_of(config, images, tmp_path / "fresh")[1]
    torch.testing.assert_close(features_of(loaders), features_of(fresh))


def test_a_folder_that_cannot_be_written_means_working_from_memory(
    config: TrainConfig, images: ImageData, tmp_path: Path
) -> None:
    cache_dir(tmp_path).mkdir()
    (cache_dir(tmp_path) / "features").write_text("a file where the folder should be")
    state, loaders, _ = loaders_of(config, images, tmp_path)
    assert sum(isinstance(event, StepEnd) for event in fit(state, loaders)) == 8


def test_the_oldest_files_go_when_there_are_too_many(
    config: TrainConfig, images: ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaders_of(config, images, tmp_path)
    (oldest,) = files(tmp_path)
    monkeypatch.setattr(feature_store, "CAP_BYTES", int(2.5 * oldest.stat().st_size))
    for seed in (1, 2):
        loaders_of(replace(config, {"training.seed": seed}), images, tmp_path)
    assert len(files(tmp_path)) == 2
    assert oldest not in files(tmp_path)


def _write_folder(root: Path, count: int) -> None:
    pixels = np.random.RandomState(0).randint(0, 256, (2, count, 32, 32, 3), np.uint8)
    for name, group in zip(("one", "two"), pixels, strict=True):
        (root / name).mkdir(parents=True)
        for number, image in enumerate(group):
            Image.fromarray(image).save(root / name / f"{number}.png")


def test_streamed_images_are_known_by_their_files(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_folder(tmp_path / "mine", 12)
    settings = {"data.dataset": "folder", "data.path": str(tmp_path / "mine"), "data.image_size": 32}
    config = replace(config, {**settings, "data.train_images": None, "data.validation": 0.25})
    resident = open_images(config.data, tmp_path)
    monkeypatch.setattr(folder_module, "RESIDENT_BYTES", 0)
    streamed = open_images(config.data, tmp_path)
    first = streamed.train
    assert isinstance(resident.train, Images)
    assert isinstance(first, Files)
    expected = features_of(loaders_of(config, resident, tmp_path)[1])
    streamed = dataclasses.replace(streamed, mean=resident.mean, std=resident.std)
    _, loaders, calls = loaders_of(config, streamed, tmp_path)
    torch.testing.assert_close(features_of(loaders), expected)
    assert calls[-1][1:] == (24, 24)
    assert not loaders_of(config, streamed, tmp_path)[2]
    Image.new("RGB", (32, 32)).save(first.path(0))
    _, loaders, calls = loaders_of(config, streamed, tmp_path)
    assert calls[-1][1:] == (1, 1)
    assert not torch.equal(features_of(loaders), expected)
    first.path(1).write_text("no image any more")
    with pytest.raises(DataError, match=first.path(1).name):
        loaders_of(config, streamed, tmp_path)


def test_a_run_trains_on_features_and_says_that_it_computes_them(
    config: TrainConfig, store: RunStore, artifacts: Path, tmp_path: Path
) -> None:
    texts: list[str] = []
    seen: list[int] = []
    for _ in range(2):
        run = store.create(config.model_dump(mode="json"), name="Features", status="starting")
        execution = Execution(store, artifacts, tmp_path, run)
        own = execution.recorder.prepare

        def prepare(text: str, done: int, total: int, own: Callable[[str, int, int], None] = own) -> None:
            texts.append(text)
            own(text, done, total)

        execution.recorder.prepare = prepare
        assert execution.carry_out() == "finished"
        seen.append(sum(text == "Computing features of the images" for text in texts))
        assert store.get(run.id).summary["test_accuracy"] > 0
    assert seen[0] > 0
    assert seen[1] == seen[0], "the second run finds them"


_OTHER_PROCESS = """
import sys
from pathlib import Path
from cnncore.config import TrainConfig
from cnncore.data import open_images
from tests.transfer.test_features import loaders_of
config = TrainConfig.model_validate_json(sys.argv[1])
images = open_images(config.data, Path(sys.argv[2]))
calls = loaders_of(config, images, Path(sys.argv[3]))[2]
print(sum(text.startswith("Computing") for text, _, _ in calls))
"""


@pytest.mark.slow
def test_two_processes_compute_once(config: TrainConfig, data_root: Path, images: ImageData, tmp_path: Path) -> None:
    command = (sys.executable, "-c", _OTHER_PROCESS, config.model_dump_json(), str(data_root), str(tmp_path))
    processes = [subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    computed = [int(process.communicate(timeout=120)[0]) > 0 for process in processes]
    assert all(process.returncode == 0 for process in processes)
    assert sum(computed) == 1
