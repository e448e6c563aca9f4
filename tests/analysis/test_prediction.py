"""Predictions: what the run says of its own images, of strangers' files, and what cannot be answered."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnncore.analysis.networks import Networks
from cnncore.analysis.pictures import pictures_at
from cnncore.analysis.prediction import Picture, channels, heat_of, predict, tensors_of
from cnncore.errors import ConfigError, DataError, RunError, WeightsError
from cnncore.questions import QUESTIONS
from cnncore.runs.artifacts import WEIGHTS_CARD, run_dir
from cnncore.runs.outcomes import OUTCOMES, load_outcomes
from cnncore.runs.uploads import keep_upload
from cnncore.training.checkpoint import card_preprocessing
from cnncore.training.trained import Look, TrainedNetwork, load_trained
from tests.analysis.conftest import Lab
from tests.photographs import COLORS, photograph


@pytest.fixture
def colors(lab: Lab) -> TrainedNetwork:
    return Networks().get(lab.artifacts, lab.colors.id)


def jpeg(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=95)
    return content.getvalue()


def test_of_its_validation_images_a_run_says_what_it_said_when_it_ended(lab: Lab, colors: TrainedNetwork) -> None:
    outcomes = load_outcomes(run_dir(lab.artifacts, lab.colors.id) / OUTCOMES)["validation"]
    found = predict(colors, [Picture(path=lab.photos / name, name=name) for name in outcomes.names])
    assert found.seen.places == tuple(range(len(outcomes.names)))
    said = np.zeros_like(outcomes.probabilities)
    np.put_along_axis(said, found.top, found.shares, axis=1)
    np.testing.assert_allclose(said, outcomes.probabilities, atol=1e-5)
    assert (np.diff(found.shares, axis=1) <= 0).all()


def test_training_images_are_familiar_and_name_themselves_and_other_things_are_not(
    lab: Lab, colors: TrainedNetwork, tmp_path: Path
) -> None:
    known = colors.familiarity
    assert known is not None
    own = sorted((lab.photos / "train").rglob("*.jpg"))
    found = predict(colors, pictures_at(own))
    assert found.distances.max() < 1e-5 < known.threshold
    alike = sum(str(path).endswith(name) for path, name in zip(own, found.nearest, strict=True))
    assert alike > 0.9 * len(own)
    stripes = np.zeros((60, 60, 3), np.uint8)
    stripes[:, ::4] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    far = predict(colors, pictures_at([tmp_path / "stripes.png"]))
    assert far.distances[0] > known.threshold


def test_what_was_seen_is_the_middle_in_the_network_s_size_and_the_exact_numbers(
    colors: TrainedNetwork, tmp_path: Path
) -> None:
    photograph(COLORS["red"], 7).save(tmp_path / "red.png")
    found = predict(colors, pictures_at([tmp_path / "red.png"]))
    pixels = found.seen.pixels
    assert pixels.shape == (1, 24, 24, 3)
    # 44 pixels become 30, of which 24 are kept: those of pixels 4.4 to 39.6, in the middle of 60 and of 44.
    with Image.open(tmp_path / "red.png") as image:
        box = (12.4, 4.4, 47.6, 39.6)
        expected = np.asarray(image.resize((24, 24), Image.Resampling.BILINEAR, box=box))
    assert np.abs(pixels[0].astype(int) - expected).max() <= 12
    made, tensors = colors.preprocessing, tensors_of(colors, pixels)
    scaled = (pixels[0] / 255 - np.array(made.mean)) / np.array(made.std)
    np.testing.assert_allclose(tensors[0], scaled.transpose(2, 0, 1), atol=1e-5)
    least, mean, largest, deviation = channels(tensors)[0, 1]
    values = tensors[0, 1]
    assert (least, largest) == (values.min(), values.max())
    assert (mean, deviation) == (pytest.approx(values.mean(), abs=1e-5), pytest.approx(values.std(), abs=1e-5))
    probabilities = colors.look(torch.from_numpy(tensors)).probabilities[0]
    np.testing.assert_allclose(found.shares[0], probabilities.sort(descending=True).values[:5], atol=1e-6)


def test_a_network_for_gray_images_sees_pictures_in_gray(lab: Lab, tmp_path: Path) -> None:
    digits = Networks().get(lab.artifacts, lab.digits.id)
    photograph(COLORS["green"], 3).save(tmp_path / "green.png")
    found = predict(digits, pictures_at([tmp_path / "green.png"]))
    assert found.seen.pixels.shape == (1, 28, 28, 1)
    assert found.top.shape == (1, 5)
    assert heat_of(digits, pictures_at([tmp_path / "green.png"])).maps.shape == (1, 28, 28)


def test_hostile_files_are_named_one_sentence_each_and_the_others_are_answered(
    colors: TrainedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.jpg").write_text("not an image")
    whole = jpeg(photograph(COLORS["blue"], 5))
    (tmp_path / "torn.jpg").write_bytes(whole[: len(whole) // 2])
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    (tmp_path / "blue.jpg").write_bytes(whole)
    (tmp_path / "large.jpg").write_bytes(whole + bytes(1_100_000))
    monkeypatch.setenv("CNNLAB_MAX_IMAGE_MB", "1")
    names = ("text.jpg", "torn.jpg", "bomb.png", "large.jpg", "gone.jpg", "blue.jpg")
    found = predict(colors, [Picture(path=tmp_path / name, name=name) for name in names])
    assert found.seen.places == (5,)
    assert found.seen.refused.keys() == {0, 1, 2, 3, 4}
    told = ("not an image", "damaged or cut off", "pixels", "1.1 MB; at most 1", "no longer there")
    for (place, sentence), words in zip(found.seen.refused.items(), told, strict=True):
        assert names[place] in sentence
        assert words in sentence
    assert not predict(colors, [Picture(path=tmp_path / "text.jpg", name="text.jpg")]).seen.places


def test_pictures_that_there_is_no_time_for_are_left_for_the_next_question(lab: Lab, colors: TrainedNetwork) -> None:
    pictures = pictures_at([lab.photos / "val"])
    found = predict(colors, pictures, budget_s=0)
    assert found.seen.places
    assert (*found.seen.places, *found.seen.left) == tuple(range(len(pictures)))
    rest = predict(colors, [pictures[place] for place in found.seen.left])
    assert len(rest.seen.places) + len(found.seen.places) == len(pictures)


def test_heat_is_of_the_predicted_class_or_of_any_other(lab: Lab, colors: TrainedNetwork) -> None:
    pictures = pictures_at([lab.photos / "val"])[:10]
    said = predict(colors, pictures).top[:, 0]
    found = heat_of(colors, pictures)
    assert np.array_equal(found.classes, said)
    assert found.layer
    other = (said + 1) % 3
    asked = heat_of(colors, pictures, other.tolist())
    assert np.array_equal(asked.classes, other)
    assert not np.array_equal(asked.maps, found.maps)
    with pytest.raises(ConfigError, match="2 classes for 10 images"):
        heat_of(colors, pictures, [0, 1])
    with pytest.raises(ConfigError, match="no layer named"):
        heat_of(colors, pictures, layer="conv99")


def test_pictures_go_to_where_the_network_is(lab: Lab, colors: TrainedNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands in for a GPU, whose networks take nothing from the memory of the computer."""
    places: list[str] = []

    def layer(model: nn.Module, images: torch.Tensor) -> str:
        places.append(images.device.type)
        return "features"

    def maps(model: nn.Module, images: torch.Tensor, *_: object) -> np.ndarray:
        places.append(images.device.type)
        return np.zeros((len(images), *images.shape[2:]), np.float32)

    look = Look(features=torch.zeros(2, 1), probabilities=torch.eye(2, 3))
    monkeypatch.setattr(TrainedNetwork, "look", lambda self, images: look)
    monkeypatch.setattr("cnncore.analysis.prediction.last_maps", layer)
    monkeypatch.setattr("cnncore.analysis.prediction.grad_cam", maps)
    elsewhere = TrainedNetwork(**{**vars(colors), "device": torch.device("meta")})
    assert heat_of(elsewhere, pictures_at([lab.photos / "val"])[:2]).classes.tolist() == [0, 1]
    assert places == ["meta", "meta"]


def test_a_network_without_maps_says_so(lab: Lab, colors: TrainedNetwork) -> None:
    dense = nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 3)).eval()
    flat = TrainedNetwork(**{**vars(colors), "model": dense, "backbone": dense[:1], "head": dense[1:]})
    with pytest.raises(DataError, match="no maps that say where"):
        heat_of(flat, pictures_at([lab.photos / "val"])[:2])


def test_networks_stay_in_memory_until_their_weights_change_or_others_need_the_room(lab: Lab, tmp_path: Path) -> None:
    artifacts = tmp_path / "runs"
    shutil.copytree(lab.artifacts, artifacts)
    networks = Networks()
    first = networks.get(artifacts, lab.colors.id)
    assert networks.get(artifacts, lab.colors.id) is first
    (run_dir(artifacts, lab.colors.id) / WEIGHTS_CARD).touch()
    second = networks.get(artifacts, lab.colors.id)
    assert second is not first
    networks.max_bytes = second.num_bytes
    networks.get(artifacts, lab.digits.id)
    assert networks.get(artifacts, lab.colors.id) is not second
    shutil.rmtree(run_dir(artifacts, lab.colors.id))
    with pytest.raises(RunError, match="are gone"):
        networks.get(artifacts, lab.colors.id)


def test_cards_of_earlier_versions_are_read_by_their_configuration(lab: Lab) -> None:
    folder = run_dir(lab.artifacts, lab.colors.id)
    card = json.loads((folder / WEIGHTS_CARD).read_text())
    now = card_preprocessing(card)
    assert (now.size, now.crop, now.interpolation, now.channels) == (24, 0.8, "bilinear", 3)
    for name in ("size", "crop", "interpolation", "channels"):
        del card["preprocessing"][name]
    assert card_preprocessing(card) == now
    del card["config"]["data"]["crop"]
    assert card_preprocessing(card).crop == 1
    assert load_trained(folder, torch.device("cpu")).precision == "fp32"


class TestQuestions:
    """The service's questions."""

    @pytest.fixture(autouse=True)
    def _places(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))

    def test_uploads_are_predicted(self, lab: Lab) -> None:
        tokens = [keep_upload(lab.artifacts, content) for content in (b"no", jpeg(photograph(COLORS["red"], 9)))]
        uploads = [{"token": token, "name": name} for token, name in zip(tokens, ("no.txt", "red.jpg"), strict=True)]
        answer = QUESTIONS["predict"]({"run": lab.colors.id, "uploads": uploads, "pixels": True, "tensor": True})
        assert not answer.lasting
        assert answer.data["places"] == (1,)
        assert "no.txt" in answer.data["refused"]["0"]
        assert answer.data["classes"] == tuple(COLORS)
        assert answer.data["familiarity"]["threshold"] > 0
        assert answer.data["preprocessing"]["crop"] == 0.8
        arrays = answer.arrays
        assert arrays["top"].shape == arrays["shares"].shape == (1, 3)
        assert arrays["pixels"].shape == (1, 24, 24, 3)
        assert arrays["tensor"].shape == (3, 24, 24)
        assert arrays["statistics"].shape == (1, 3, 4)
        json.dumps(answer.data)

    def test_heat_is_bytes(self, lab: Lab) -> None:
        token = keep_upload(lab.artifacts, jpeg(photograph(COLORS["red"], 9)))
        answer = QUESTIONS["grad_cam"]({"run": lab.colors.id, "uploads": [{"token": token}], "classes": [2]})
        assert answer.data["layer"]
        assert answer.arrays["shown"].tolist() == [2]
        assert answer.arrays["maps"].dtype == np.uint8
        assert answer.arrays["maps"].shape == (1, 24, 24)

    def test_what_is_gone_is_one_sentence(self, lab: Lab) -> None:
        with pytest.raises(WeightsError, match="not there any more"):
            QUESTIONS["predict"]({"run": lab.colors.id, "uploads": [{"token": "0" * 32}]})
        with pytest.raises(RunError, match="The files of run abcdef are gone"):
            QUESTIONS["predict"]({"run": "abcdef"})
        with pytest.raises(ConfigError, match="uploads"):
            QUESTIONS["predict"]({"run": lab.colors.id, "uploads": [{"token": "0"}] * 201})
