"""Attributions against closed forms on small networks and against Captum, in pieces of any size, changing nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam, NoiseTunnel, Occlusion, Saliency
from torch import Tensor, nn
from torch.nn import functional

from cnncore.analysis import attribution
from cnncore.analysis.attribution import METHODS, Attribution, AttributionSettings, attribute, seeded
from cnncore.errors import ConfigError, DataError
from tests.analysis.made import made_network, noise

SIDE, TARGET = 8, 2


class Square(nn.Module):
    """Each value times itself."""

    def forward(self, images: Tensor) -> Tensor:
        return images * images


def picture(channels: int = 3, side: int = SIDE) -> Tensor:
    return torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(1))


def linear(channels: int = 3, *before: nn.Module) -> nn.Sequential:
    """Weighted sums of all values, after what stands `before`."""
    torch.manual_seed(0)
    return nn.Sequential(*before, nn.Flatten(), nn.Linear(channels * SIDE * SIDE, 4)).eval()


def weight(model: nn.Sequential, channels: int = 3) -> Tensor:
    """Those of the sum for the class, (C, H, W)."""
    values = model[-1].get_parameter("weight").detach()
    return values[TARGET].reshape(channels, SIDE, SIDE)


def convolutional() -> nn.Sequential:
    """A network with layers that write over their input, the first one too."""
    torch.manual_seed(2)
    layers = (nn.LeakyReLU(0.5, inplace=True), nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True))
    more = (nn.Conv2d(6, 5, 3, stride=2), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(5 * 9, 4))
    return nn.Sequential(*layers, *more).eval()


def found(model: nn.Module, image: Tensor, method: str, layer: str = "", **settings: object) -> Attribution:
    work = attribute(
        model, image, TARGET, method, layer=layer, settings=AttributionSettings.model_validate(dict(settings))
    )
    steps: list[tuple[int, int]] = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            assert len({total for _, total in steps}) == 1
            assert all(before < after for (before, _), (after, _) in pairwise(steps))
            return end.value


def close(found: object, expected: Tensor, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(np.asarray(found), expected.detach().numpy(), atol=tolerance)


@pytest.mark.parametrize("method", ["gradient", "smoothgrad"])
@pytest.mark.parametrize("channels", [1, 3])
def test_of_a_weighted_sum_the_gradient_is_the_weight(method: str, channels: int) -> None:
    model, image = linear(channels), picture(channels)
    map_ = found(model, image, method).map
    assert map_.dtype == np.float32
    close(map_, weight(model, channels).abs().amax(dim=0))


def test_of_a_weighted_sum_integrated_gradients_are_weight_times_value() -> None:
    model, image = linear(), picture()
    result = found(model, image, "integrated_gradients", steps=8)
    close(result.map, (weight(model) * image[0]).sum(dim=0))
    complete = result.completeness
    assert complete is not None
    bias = model[-1].get_parameter("bias").tolist()[TARGET]
    assert complete.baseline == pytest.approx(bias, abs=1e-6)
    assert complete.image == pytest.approx(model(image).tolist()[0][TARGET], abs=1e-5)
    assert complete.attributed == pytest.approx(complete.image - bias, abs=1e-5)
    assert complete.gap_percent == pytest.approx(0, abs=1e-3)


def test_of_weighted_squares_integrated_gradients_are_the_summands() -> None:
    model, image = linear(3, Square()), picture()
    close(found(model, image, "integrated_gradients").map, (weight(model) * image[0] ** 2).sum(dim=0))
    close(found(model, image, "gradient").map, (2 * weight(model) * image[0]).abs().amax(dim=0))


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 3), (3, 1), (4, 3), (SIDE, SIDE)])
def test_of_a_weighted_sum_a_covered_window_takes_its_part_away(window: int, stride: int) -> None:
    model, image = linear(), picture()
    parts = (weight(model) * image[0]).sum(dim=0)
    total, count = torch.zeros_like(parts), torch.zeros_like(parts)
    for top in range(0, SIDE - window + stride, stride):
        for left in range(0, SIDE - window + stride, stride):
            place = np.s_[top : top + window, left : left + window]
            total[place] += parts[place].sum()
            count[place] += 1
    assert int(count.min()) > 0
    close(found(model, image, "occlusion", window=window, stride=stride).map, total / count)


def test_grad_cam_by_hand() -> None:
    torch.manual_seed(0)
    conv, output = nn.Conv2d(3, 5, 3, padding=1), nn.Linear(5, 4)
    model, image = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), output).eval(), picture()
    expected = torch.einsum("c,chw->hw", output.weight[TARGET], conv(image)[0]).relu()
    result = found(model, image, "gradcam")
    assert result.layer == "0"
    close(result.map, expected / expected.max())


class TestCaptum:
    """The same as Captum has it, in one go."""

    model, image = convolutional(), picture()

    @pytest.fixture(autouse=True, params=[3, 32])
    def _small_pieces(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attribution, "MOST_TOGETHER", request.param)

    def logit(self, images: Tensor) -> Tensor:
        return self.model(images.clone())[:, TARGET]

    def start(self) -> Tensor:
        return self.image.clone().requires_grad_()

    @pytest.mark.parametrize(("window", "stride"), [(3, 2), (4, 3), (2, 1)])
    def test_occlusion(self, window: int, stride: int) -> None:
        expected = Occlusion(self.logit).attribute(
            self.image, sliding_window_shapes=(3, window, window), strides=(3, stride, stride)
        )
        result = found(self.model, self.image, "occlusion", window=window, stride=stride)
        # A window covers all channels, so each has the fall of it.
        close(result.map, expected[0, 0])

    @pytest.mark.parametrize("steps", [8, 19])
    def test_integrated_gradients(self, steps: int) -> None:
        expected, gap = IntegratedGradients(self.logit).attribute(
            self.start(), n_steps=steps, return_convergence_delta=True
        )
        result = found(self.model, self.image, "integrated_gradients", steps=steps)
        close(result.map, expected.sum(dim=1)[0])
        complete = result.completeness
        assert complete is not None
        assert complete.attributed - (complete.image - complete.baseline) == pytest.approx(float(gap), abs=1e-5)

    def test_gradient(self) -> None:
        expected = Saliency(self.logit).attribute(self.start())
        close(found(self.model, self.image, "gradient").map, expected.amax(dim=1)[0])

    def test_smoothgrad(self) -> None:
        """With the noise of each batch of ours."""
        samples, batch, total = 7, attribution.MOST_TOGETHER, torch.zeros_like(self.image)
        deviation = 0.2 * float(self.image.max() - self.image.min())
        for first in range(0, samples, batch):
            with seeded(5 + first):
                count = min(batch, samples - first)
                part = NoiseTunnel(Saliency(self.logit)).attribute(
                    self.start(), nt_type="smoothgrad", nt_samples=count, stdevs=deviation, abs=False
                )
            assert isinstance(part, Tensor)
            total += count * part
        result = found(self.model, self.image, "smoothgrad", samples=samples, noise=0.2, seed=5)
        close(result.map, (total / samples).abs().amax(dim=1)[0])

    @pytest.mark.parametrize("layer", ["1", "3", "5"])
    def test_grad_cam(self, layer: str) -> None:
        module = self.model.get_submodule(layer)
        maps = LayerGradCam(self.logit, module).attribute(self.start(), relu_attributions=True)
        assert isinstance(maps, Tensor)
        expected = functional.interpolate(maps, size=(SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0]
        close(found(self.model, self.image, "gradcam", layer).map, expected / expected.max())


@pytest.mark.parametrize("name", ["resnet20", "googlenet_small"])
def test_a_real_network_is_explained_as_captum_explains_it(name: str) -> None:
    """Shortcuts added in place, normalization with statistics, and stacked branches."""
    network = made_network(name, 32, width=0.25)
    model, image = network.model, noise(network)

    def logit(images: Tensor) -> Tensor:
        return model(images.clone())[:, TARGET]

    last = found(model, image, "gradcam")
    maps = LayerGradCam(logit, model.get_submodule(last.layer)).attribute(
        image.clone().requires_grad_(), relu_attributions=True
    )
    assert isinstance(maps, Tensor)
    large = functional.interpolate(maps, size=(32, 32), mode="bilinear", align_corners=False)[0, 0]
    close(last.map, large / large.max())
    # 32 pixels are no multiple of the stride: the last windows are cut off at the edge.
    covered = Occlusion(logit).attribute(image, sliding_window_shapes=(3, 9, 9), strides=(3, 7, 7))[0, 0].detach()
    path = IntegratedGradients(logit).attribute(image.clone().requires_grad_(), n_steps=10).sum(dim=1)[0].detach()
    ours = found(model, image, "integrated_gradients", steps=10)
    for map_, theirs in ((found(model, image, "occlusion", window=9, stride=7).map, covered), (ours.map, path)):
        close(map_ / float(theirs.abs().max()), theirs / theirs.abs().max(), 1e-3)
    assert ours.completeness is not None
    with torch.inference_mode():
        both = model(torch.cat([image, torch.zeros_like(image)]))[:, TARGET].tolist()
    assert [ours.completeness.image, ours.completeness.baseline] == pytest.approx(both, abs=1e-5)


def test_smoothgrad_has_noise_of_the_right_size() -> None:
    """Of weighted squares the gradient is 2 w (x + noise), so that the mean noise can be read from the map."""
    model = linear(1, Square())
    image = 9 + picture(1)
    samples, share = 8, 0.1
    values = found(model, image, "smoothgrad", samples=samples, noise=share).map
    mean = values / (2 * weight(model, 1)[0].abs().numpy()) - image[0, 0].numpy()
    deviation = share * float(image.max() - image.min())
    assert float(mean.std()) == pytest.approx(deviation / samples**0.5, rel=0.3)
    assert abs(float(mean.mean())) < deviation / samples**0.5 / 2
    more = found(model, image, "smoothgrad", samples=128, noise=share).map
    assert (
        np.abs(more - found(model, image, "gradient").map).mean()
        < np.abs(values - found(model, image, "gradient").map).mean() / 2
    )


@pytest.mark.parametrize("method", METHODS)
def test_network_and_image_stay_as_they_were(method: str) -> None:
    model, image = convolutional(), picture()
    first = found(model, image, method).map
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    with torch.no_grad():
        assert np.array_equal(found(model, image, method).map, first)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(image, picture())
    assert not image.requires_grad
    assert all(not parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(not module._forward_hooks and not module.training for module in model.modules())


def test_windows_have_defaults_by_the_size_and_limits() -> None:
    sizes = {size: AttributionSettings().covering(size) for size in (2, 28, 32, 224, 299)}
    assert sizes == {2: (2, 1), 28: (4, 2), 32: (4, 2), 224: (32, 16), 299: (42, 21)}
    model, image = linear(), picture()
    with pytest.raises(ConfigError, match="cannot have 9 pixels"):
        found(model, image, "occlusion", window=9)
    with pytest.raises(ConfigError, match="leaves places out"):
        found(model, image, "occlusion", window=2, stride=3)
    with pytest.raises(ConfigError, match=r"37,249 windows would be covered; at most 4,000"):
        AttributionSettings(window=32, stride=1).covering(224)


def test_what_cannot_be_asked_for_is_one_sentence() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, images: Tensor) -> Tensor:
            return self.a(images) + self.b(images)

    model = nn.Sequential(Branches(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 4)).eval()
    with pytest.raises(ConfigError, match=r"the layer 0\.a.*not everything passes through it. Choose one of 0\."):
        found(model, picture(), "gradcam", "0.a")
    with pytest.raises(ConfigError, match=r"the layer 2: it has no maps"):
        found(model, picture(), "gradcam", "2")
    with pytest.raises(ConfigError, match="no layer named 'conv'"):
        found(model, picture(), "gradcam", "conv")
    with pytest.raises(ConfigError, match=r"no method named 'gradients'.*Did you mean gradient"):
        found(model, picture(), "gradients")
    with pytest.raises(DataError, match="no maps that say where"):
        found(linear(), picture(), "gradcam")
    with pytest.raises(DataError, match="is no number"):
        found(linear(), torch.full((1, 3, SIDE, SIDE), float("inf")), "integrated_gradients")


def test_hardly_any_difference_of_logits_has_no_percent_of_it() -> None:
    complete = attribution.Completeness(image=1.0, baseline=1.0, attributed=0.5)
    assert complete.gap_percent is None
    assert attribution.Completeness(image=3.0, baseline=1.0, attributed=1.5).gap_percent == 25
