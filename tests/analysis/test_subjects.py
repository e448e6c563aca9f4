"""Networks and pictures by name: a picture is what the run met, whichever way it comes, and what is gone is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
import torch
from PIL import Image
from torchvision.models import ResNet18_Weights

from cnncore.analysis.subjects import Subjects, check_class, pixels_at, smaller, split_of, tensors_at
from cnncore.catalog.imagenet import imagenet_classes
from cnncore.config import DataConfig
from cnncore.data import open_images
from cnncore.errors import ConfigError, DataError, LabError, RunError
from cnncore.images.decode import open_rgb
from cnncore.images.drawing import drawing_text, example_digit
from cnncore.images.kept_pictures import keep_picture
from cnncore.questions import QUESTIONS, inspection, looking
from cnncore.runs.artifacts import WEIGHTS, WEIGHTS_CARD, run_dir
from cnncore.training.familiarity import FAMILIARITY
from tests.analysis.conftest import Lab
from tests.images.pictures import encoded


@pytest.fixture
def subjects(lab: Lab, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> Subjects:
    found = Subjects(lab.artifacts, data_root)
    for module in (looking, inspection):
        monkeypatch.setattr(module, "subjects", lambda: found)
    return found


@pytest.fixture
def gone(lab: Lab, tmp_path: Path, data_root: Path) -> Subjects:
    """The same runs in a folder of their own, which may be broken."""
    shutil.copytree(lab.artifacts, tmp_path / "copy")
    return Subjects(tmp_path / "copy", data_root)


def test_a_network_is_kept_until_its_weights_change(lab: Lab, gone: Subjects) -> None:
    name = f"run:{lab.digits.id}"
    first = gone.network(name)
    assert gone.network(name) is first
    assert not first.model.training
    assert {value.dtype for value in first.model.parameters()} == {torch.float32}
    (gone.artifacts / lab.digits.id / WEIGHTS).touch()
    assert gone.network(name) is not first


def test_untrained_networks_have_the_same_weights_every_time(lab: Lab, data_root: Path) -> None:
    first, second = (Subjects(lab.artifacts, data_root).network("untrained:lenet5") for _ in range(2))
    assert first is not second
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert len(first.classes) == 1_000


def test_what_is_kept_is_bounded_but_for_the_newest(lab: Lab, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Subjects(lab.artifacts, data_root)
    monkeypatch.setattr("cnncore.analysis.subjects.MAX_BYTES", 1)
    first = found.network("untrained:lenet5")
    second = found.network("untrained:resnet20")
    assert found.network("untrained:resnet20") is second
    assert found.network("untrained:lenet5") is not first


def test_a_backbone_names_what_is_in_a_photograph_as_torchvision_does(subjects: Subjects) -> None:
    assert imagenet_classes() == tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
    backbone = subjects.network("backbone:efficientnet_lite0")
    assert subjects.network("backbone:efficientnet_lite0") is backbone
    path = Path(sklearn.datasets.__file__).parent / "images" / "china.jpg"
    kept = keep_picture(subjects.artifacts, path.read_bytes(), "china.jpg")
    found = backbone.look(subjects.shown(backbone, f"kept:{kept}").tensor)
    assert backbone.classes[int(found.probabilities.argmax())] == "palace"


def test_an_image_of_a_run_is_the_one_it_was_trained_with(lab: Lab, subjects: Subjects, data_root: Path) -> None:
    network = subjects.network(f"run:{lab.digits.id}")
    data = open_images(DataConfig.model_validate(lab.digits.config["data"]), data_root)
    assert data.validation is not None
    for split, images in (("train", data.train), ("validation", data.validation)):
        found = subjects.shown(network, f"sample:{lab.digits.id}:{split}:3")
        np.testing.assert_array_equal(found.pixels, images.pixels[3].numpy())  # pyright: ignore[reportAttributeAccessIssue]
        assert found.label == data.classes[int(images.labels[3])]
        expected = (images.pixels[3].permute(2, 0, 1) / 255 - data.mean[0]) / data.std[0]  # pyright: ignore[reportAttributeAccessIssue]
        torch.testing.assert_close(found.tensor[0], expected, atol=1e-5, rtol=0)
    several = tensors_at(network, data, "train", [3, 5])
    torch.testing.assert_close(several[0], subjects.shown(network, f"sample:{lab.digits.id}:train:3").tensor[0])


def test_a_photograph_is_prepared_as_in_training_wherever_it_comes_from(lab: Lab, subjects: Subjects) -> None:
    network = subjects.network(f"run:{lab.colors.id}")
    data = subjects.images_named(network, f"run:{lab.colors.id}")
    path = lab.photos / str((data.names or {})["validation"][2])
    sample = subjects.shown(network, f"sample:{lab.colors.id}:validation:2")
    kept = keep_picture(subjects.artifacts, encoded(open_rgb(path)), "photo")
    given = subjects.shown(network, f"kept:{kept}")
    np.testing.assert_array_equal(sample.pixels, network.preprocessing.pixels(open_rgb(path)))
    np.testing.assert_array_equal(sample.pixels, given.pixels)
    assert (sample.label, given.label) == (path.parent.name, "")


def test_any_picture_fits_any_network(lab: Lab, subjects: Subjects) -> None:
    gray, colors = subjects.network(f"run:{lab.digits.id}"), subjects.network(f"run:{lab.colors.id}")
    drawn = f"drawn:{drawing_text(example_digit())}"
    np.testing.assert_array_equal(subjects.shown(gray, drawn).pixels[..., 0], example_digit())
    kept = f"kept:{keep_picture(subjects.artifacts, encoded(Image.new('RGB', (50, 20), (255, 0, 0))), 'red')}"
    for picture in (drawn, kept, "data:mnist5k:test:0", f"sample:{lab.colors.id}:train:0"):
        for network in (gray, colors):
            made = network.preprocessing
            found = subjects.shown(network, picture)
            assert found.pixels.shape == (made.size, made.size, made.channels)
            assert tuple(found.tensor.shape) == (1, made.channels, made.size, made.size)
            np.testing.assert_allclose(found.tensor[0].numpy(), made.normalized(found.pixels))
    assert subjects.shown(gray, kept).pixels[0, 0, 0] == pytest.approx(76, abs=1), "Rec. 601 luma of pure red"


def test_the_original_is_as_large_as_is_asked(lab: Lab, subjects: Subjects) -> None:
    kept = f"kept:{keep_picture(subjects.artifacts, encoded(Image.new('RGB', (500, 200))), 'wide')}"
    assert subjects.original(kept, 100).shape == (40, 100, 3)
    assert subjects.original("data:mnist5k:test:0", 100).shape == (28, 28, 1)
    assert subjects.original("data:mnist5k:test:0", 14).shape == (14, 14, 1)
    assert subjects.original(f"drawn:{drawing_text(example_digit())}", 100).shape == (28, 28, 1)
    assert smaller(np.zeros((1_000, 3, 3), np.uint8), 10).shape == (10, 1, 3)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        ("data:nonsense:test:0", "no data set named 'nonsense'"),
        ("data:cifar100:test:0", "cifar100 is not on this machine"),
        ("data:folder:test:0", "needs its path"),
        ("data:image_set:test:0", "No image set was chosen"),
        ("data:mnist5k:test:99999", "There is no test image 99999"),
        ("set:000000000000@1:0", "image set"),
        ("set:x@1:0", "not the id of an image set"),
        ("kept:" + "0" * 32, "not kept any more"),
        ("drawn:abc", "no whole drawing"),
        ("sample:ffffffffffff:test:0", "files of run ffffffffffff are gone"),
        ("nonsense", "no picture named"),
    ],
)
def test_a_picture_that_is_not_there_is_one_sentence(lab: Lab, subjects: Subjects, picture: str, sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        subjects.shown(subjects.network(f"run:{lab.digits.id}"), picture)
    with pytest.raises(LabError, match=sentence):
        QUESTIONS["inspect"]({"network": f"run:{lab.digits.id}", "picture": picture})


def test_what_has_gone_since_is_one_sentence(lab: Lab, gone: Subjects, tmp_path: Path) -> None:
    colors = gone.network(f"run:{lab.colors.id}")
    photos = shutil.copytree(lab.photos, tmp_path / "photos")
    card = run_dir(gone.artifacts, lab.colors.id) / WEIGHTS_CARD
    facts = json.loads(card.read_text())
    facts["config"]["data"]["path"] = str(photos)
    card.write_text(json.dumps(facts))
    picture = f"sample:{lab.colors.id}:validation:0"
    assert gone.shown(colors, picture).label
    shutil.rmtree(photos)
    with pytest.raises(DataError, match="photos"):
        gone.shown(colors, picture)
    facts["config"]["data"]["path"] = ""
    card.write_text(json.dumps(facts))
    with pytest.raises(DataError, match="imported without a data set"):
        gone.images_named(colors, f"run:{lab.colors.id}")
    shutil.rmtree(run_dir(gone.artifacts, lab.colors.id))
    with pytest.raises(LabError, match="are gone"):
        gone.network(f"run:{lab.colors.id}")
    (run_dir(gone.artifacts, lab.digits.id) / WEIGHTS).unlink()
    with pytest.raises(LabError, match="no trained weights"):
        gone.network(f"run:{lab.digits.id}")
    with pytest.raises(DataError, match="no images of its own"):
        gone.data_config("untrained:lenet5")


def test_splits_and_classes_are_checked(lab: Lab, subjects: Subjects) -> None:
    network = subjects.network(f"run:{lab.colors.id}")
    data = subjects.images_named(network, f"run:{lab.colors.id}")
    with pytest.raises(DataError, match="There are no test images"):
        split_of(data, "test")
    with pytest.raises(DataError, match="no validation image 999"):
        pixels_at(data, "validation", 999)
    with pytest.raises(DataError, match="no validation image -1"):
        pixels_at(data, "validation", -1)
    assert check_class(network, 2) == 2
    for place in (-1, 3):
        with pytest.raises(ConfigError, match="Allowed: 0 to 2"):
            check_class(network, place)


def test_open_data_sets_are_few(subjects: Subjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncore.analysis.subjects.MAX_OPEN", 1)
    config = DataConfig.model_validate({"dataset": "mnist5k"})
    first = subjects.images(config)
    assert subjects.images(config) is first
    subjects.images(DataConfig.model_validate({"dataset": "mnist5k", "validation": 0.2}))
    assert subjects.images(config) is not first


# The questions


def inspect(**request: Any) -> Any:
    return QUESTIONS["inspect"](request)


def test_what_is_said_is_what_the_network_says(lab: Lab, subjects: Subjects) -> None:
    picture = f"sample:{lab.digits.id}:validation:1"
    name = f"run:{lab.digits.id}"
    answer = inspect(network=name, picture=picture, tensor=True, stamp=subjects.stamp(name))
    network = subjects.network(name)
    seen = subjects.shown(network, picture)
    expected = network.model(seen.tensor).softmax(dim=1)[0].detach().numpy()
    arrays, facts = answer.arrays, answer.data
    np.testing.assert_allclose(arrays["probabilities"], expected, atol=1e-6)
    np.testing.assert_array_equal(arrays["top"], np.argsort(-expected)[:5])
    np.testing.assert_array_equal(arrays["shares"], arrays["probabilities"][arrays["top"]])
    assert facts["classes"] == [network.classes[place] for place in arrays["top"]]
    assert (facts["label"], facts["size"], facts["channels"]) == (seen.label, 28, 1)
    tensor = arrays["tensor"]
    np.testing.assert_array_equal(tensor, seen.tensor[0].numpy())
    np.testing.assert_allclose(
        arrays["statistics"], [[tensor.min(), tensor.mean(), tensor.max(), tensor.std()]], rtol=1e-5
    )
    np.testing.assert_array_equal(arrays["pixels"], seen.pixels)
    assert answer.lasting
    assert "tensor" not in inspect(network=f"run:{lab.digits.id}", picture=picture).arrays


def test_answers_about_a_folder_or_unknown_weights_are_not_kept(lab: Lab, subjects: Subjects) -> None:
    digits, colors = f"run:{lab.digits.id}", f"run:{lab.colors.id}"
    assert not inspect(network=digits, picture="data:mnist5k:test:0").lasting
    assert inspect(network=colors, picture="data:mnist5k:test:0", stamp=subjects.stamp(colors)).lasting
    stamp = subjects.stamp(digits)
    assert not inspect(network=digits, picture=f"sample:{lab.colors.id}:train:0", stamp=stamp).lasting
    browse = QUESTIONS["browse"]
    assert browse({"network": digits, "stamp": stamp}).lasting
    assert not browse({"network": colors, "stamp": subjects.stamp(colors)}).lasting


def test_an_answer_is_not_kept_for_weights_that_have_been_replaced_since(
    lab: Lab, gone: Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (looking, inspection):
        monkeypatch.setattr(module, "subjects", lambda: gone)
    name = f"run:{lab.digits.id}"
    request = {"network": name, "stamp": gone.stamp(name), "picture": "data:mnist5k:test:0"}
    assert inspect(**request).lasting
    (gone.artifacts / lab.digits.id / WEIGHTS).touch()
    assert not inspect(**request).lasting
    assert inspect(**{**request, "stamp": gone.stamp(name)}).lasting


def test_a_stranger_is_farther_than_the_threshold(lab: Lab, subjects: Subjects) -> None:
    own = inspect(network=f"run:{lab.colors.id}", picture=f"sample:{lab.colors.id}:train:0").data["familiar"]
    assert own["distance"] < own["threshold"]
    assert "most similar training image" in own["explanation"]


def test_images_can_be_browsed_by_class_in_order_at_random_and_by_place(lab: Lab, subjects: Subjects) -> None:
    def browse(**request: Any) -> dict[str, Any]:
        return QUESTIONS["browse"]({"network": f"run:{lab.digits.id}", **request}).data

    first = browse(count=4)
    assert (first["split"], first["places"]) == ("validation", [0, 1, 2, 3])
    assert browse(count=4, first=2)["places"] == [2, 3, 4, 5]
    threes = browse(count=5, label=3)
    assert set(threes["labels"]) == {3}
    assert 5 <= threes["total"] < first["total"]
    shuffled = browse(count=5, label=3, seed=4)
    assert set(shuffled["labels"]) == {3}
    assert shuffled["places"] != threes["places"]
    assert shuffled == browse(count=5, label=3, seed=4)
    assert browse(places=(5, 1, 9_999_999))["places"] == [5, 1]
    assert browse(label=77)["places"] == []
    assert browse(first=9_999_999)["places"] == []


def test_browsing_a_split_that_is_empty_shows_another(lab: Lab, subjects: Subjects) -> None:
    answer = QUESTIONS["browse"]({"network": f"run:{lab.colors.id}", "split": "test", "count": 3})
    assert answer.data["split"] == "validation"
    assert answer.data["num_images"]["test"] == 0
    assert [Path(name).parts[0] for name in answer.data["names"]] == ["val"] * 3
    assert answer.arrays["picture_2"].shape == (24, 24, 3)
    with pytest.raises(LabError, match="There are no images named"):
        QUESTIONS["browse"]({"network": f"run:{lab.colors.id}", "images": "nonsense"})
    with pytest.raises(LabError, match="takes gray images"):
        QUESTIONS["browse"]({"network": f"run:{lab.digits.id}", "images": "set:000000000000@1"})


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (WEIGHTS, b"", "weights of run .* are damaged"),
        (WEIGHTS, bytes(1_000), "weights of run .* are damaged"),
        (WEIGHTS_CARD, b"[1]", "card beside the weights of run .* is damaged"),
        (WEIGHTS_CARD, b"\xff{", "card beside the weights of run .* is damaged"),
        (WEIGHTS_CARD, {"in_shape": "abc"}, "card beside the weights of run .* is damaged"),
        (WEIGHTS_CARD, {"classes": "0123456789"}, "card beside the weights of run .* is damaged"),
        (WEIGHTS_CARD, {"model": {}}, "card beside the weights of run .* is damaged"),
        (WEIGHTS_CARD, {"classes": ["a", "b"]}, "do not fit the card"),
        (WEIGHTS_CARD, {"config": {"model": {"name": "lenet5", "gears": 3}}}, "another version of the lab.*gears"),
    ],
)
def test_weights_that_cannot_be_used_are_one_sentence(
    lab: Lab, gone: Subjects, name: str, content: bytes | dict[str, Any], sentence: str
) -> None:
    path = run_dir(gone.artifacts, lab.digits.id) / name
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(json.loads(whole) | content).encode())
    with pytest.raises(RunError, match=sentence):
        gone.network(f"run:{lab.digits.id}")


def test_half_a_file_of_weights_is_one_sentence_and_of_familiar_images_no_loss(lab: Lab, gone: Subjects) -> None:
    folder = run_dir(gone.artifacts, lab.colors.id)
    assert gone.network(f"run:{lab.colors.id}").familiarity is not None
    for name in (FAMILIARITY, WEIGHTS):
        half = (folder / name).read_bytes()[: (folder / name).stat().st_size // 2]
        (folder / name).unlink()
        (folder / name).write_bytes(half)
        if name == FAMILIARITY:
            assert gone.network(f"run:{lab.colors.id}").familiarity is None
    with pytest.raises(RunError, match="are damaged"):
        gone.network(f"run:{lab.colors.id}")
