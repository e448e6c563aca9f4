"""The lesson on convolution: its link, what contradicts itself, and what its figure gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.nn import functional

from cnncore.answers import Answer
from cnncore.lessons.kernels import COLOR_FILTERS, KERNELS, kernel_text, learned_kernel
from pages.components.lesson_convolution import one_channel
from pages.components.lesson_convolution_channels import several_channels
from pages.components.lesson_convolution_learned import OPENED, with_learned
from pages.components.lesson_convolution_signals import two_signals
from pages.components.lesson_convolution_state import ConvolutionState, read_filter
from tests.pages.conftest import ANSWERS, address, assert_clean

MODES = ("one", "channels", "signals")


@pytest.fixture
def opened(app: AppTest) -> Callable[..., AppTest]:
    """Open the lesson by a link."""

    def open_link(**params: str) -> AppTest:
        app.switch_page("pages/learn.py")
        for name, value in {"lesson": "convolution", **params}.items():
            app.query_params[name] = value
        return app.run()

    return open_link


@pytest.mark.parametrize("mode", MODES)
def test_every_way_to_slide_is_drawn(opened: Callable[..., AppTest], mode: str) -> None:
    app = opened(mode=mode)
    assert_clean(app)
    assert [each.value for each in app.warning] == []


def test_every_field_of_the_link_is_taken(opened: Callable[..., AppTest]) -> None:
    params = {
        "side": "28", "k": "1,2,3,4", "stride": "2", "padding": "1", "edge": "reflect", "dilation": "2", "flip": "true",
        "network": "backbone:efficientnet_lite0",
        "colors": "gray", "at": "7", "upto": "9", "filters": "red_green;blue_yellow", "chosen": "1", "groups": "3",
        "signal": "noisy", "other": "mean", "lag": "5", "picture": "digit",
    }  # fmt: skip
    app = opened(**params)
    assert_clean(app)
    assert [each.value for each in app.warning] == []
    assert set(params) | {"mode"} == set(ConvolutionState.model_fields)
    assert address(app).items() >= params.items()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("k", "1,2", "square"),
        ("k", "1,2,3,banana", "banana"),
        ("k", "100", "-99 to 99"),
        ("k", ",".join(["1"] * 64), "square"),
        ("stride", "9", "1 to 4"),
        ("padding", "half", "valid, same"),
        ("edge", "wrap", "zeros, reflect"),
        ("filters", "red_green;1,2", "3 times"),
        ("filters", "vertical;1,2,3", "one size"),
        ("filters", ";".join(["vertical"] * 5), "at most 4"),
        ("lag", "-1", "0 to 48"),
        ("network", "somebody", "no network named"),
        ("flip", "perhaps", "true, false"),
    ],
)
def test_what_a_link_cannot_say_is_one_sentence_and_the_rest_stays(
    opened: Callable[..., AppTest], name: str, value: str, says: str
) -> None:
    app = opened(**{"dilation": "2", name: value})
    assert_clean(app)
    (warning,) = app.warning
    assert says in warning.value
    assert app.session_state["learn_ConvolutionState_dilation"] == 2


def test_a_named_kernel_is_written_to_the_link_with_its_colors(opened: Callable[..., AppTest]) -> None:
    app = opened(stride="2")
    app.button_group(key="learn_convolution_preset").set_value("gaussian").run()
    assert_clean(app)
    assert address(app)["k"] == kernel_text(KERNELS["gaussian"].values)
    assert address(app)["colors"] == "gray"
    assert address(app)["stride"] == "2"


def test_another_size_of_the_kernel_keeps_its_numbers(opened: Callable[..., AppTest]) -> None:
    app = opened(k="1,2,3,4,5,6,7,8,9")
    app.selectbox(key="learn_convolution_size").set_value(1).run()
    assert address(app)["k"] == "5"


def test_filters_are_added_and_taken_away_but_one_stays(opened: Callable[..., AppTest]) -> None:
    app = opened(mode="channels")
    group = "learn_convolution_filters"
    app.button_group(key=group).set_value(["vertical", "red_green", "red_edges"]).run()
    assert address(app)["filters"] == "vertical;red_green;red_edges"
    app.button_group(key=group).set_value([]).run()
    assert address(app)["filters"] == "vertical;red_green;red_edges"
    assert_clean(app)


@pytest.fixture
def offered(app: AppTest, opened: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the choice of learned filters; the network has two, of this shape."""
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 20.0)

    def open_choice(*shape: int, **params: str) -> AppTest:
        answer = Answer({"layer": "conv1", "num": 2}, {"filters": np.ones((2, *shape), np.float32)})
        monkeypatch.setitem(ANSWERS, "filters", lambda request: answer)
        app.session_state[OPENED] = True
        return opened(network="backbone:efficientnet_lite0", **params)

    return open_choice


@pytest.mark.parametrize(("mode", "says"), [("one", "are added up"), ("channels", "made 1 or")])
def test_learned_filters_are_offered(
    offered: Callable[..., AppTest], asked: list[tuple[str, Any]], mode: str, says: str
) -> None:
    app = offered(3, 3, 3, mode=mode)
    assert_clean(app)
    assert [request["network"] for name, request in asked if name == "filters"] == ["backbone:efficientnet_lite0"]
    assert any(says in each.value for each in app.caption)
    assert any("No network has been trained here yet" in each.value for each in app.caption)


@pytest.mark.parametrize(
    ("shape", "mode", "says"), [((11, 11, 3), "one", "at most 7 × 7"), ((5, 5, 1), "channels", "gray pictures")]
)
def test_learned_filters_that_do_not_fit_are_told(
    offered: Callable[..., AppTest], shape: tuple[int, ...], mode: str, says: str
) -> None:
    app = offered(*shape, mode=mode)
    assert not app.exception
    (error,) = app.error
    assert says in error.value


def test_a_network_whose_weights_are_gone_is_told(offered: Callable[..., AppTest]) -> None:
    app = offered(3, 3, 3)
    app.query_params["network"] = "run:abcdef"
    app.run()
    assert not app.exception
    assert any("abcdef" in each.value for each in app.warning)


def test_a_learned_filter_becomes_the_kernel_or_one_more_filter() -> None:
    weights = np.random.default_rng(0).normal(size=(3, 3, 3)).astype(np.float32)
    one = with_learned(ConvolutionState(), weights)
    np.testing.assert_array_equal(ConvolutionState(**one).kernel, learned_kernel(weights, 1)[0])
    several = ConvolutionState(mode="channels", filters="vertical;red_green;blue_yellow;red_edges")
    more = with_learned(several, weights)
    texts = more["filters"].split(";")
    assert texts[:3] == ["red_green", "blue_yellow", "red_edges"]
    assert more["chosen"] == 3
    np.testing.assert_array_equal(read_filter(texts[3]), learned_kernel(weights, 3))
    assert with_learned(ConvolutionState(mode="channels", **more), weights) == more
    larger = with_learned(several, np.ones((5, 5, 3), np.float32))
    assert larger == {"filters": ",".join(["1"] * 75), "chosen": 0}


IMPOSSIBLE = [
    ({"padding": "same", "stride": 2}, "Same padding keeps the size, which a stride changes. Set the stride to 1."),
    ({"k": ",".join(["1"] * 49), "dilation": 4}, "does not fit"),
]


@pytest.mark.parametrize(("settings", "says"), IMPOSSIBLE)
def test_what_is_impossible_is_said_in_the_figure(settings: dict[str, Any], says: str) -> None:
    data, arrays = one_channel(ConvolutionState(**settings), np.ones((14, 14)))
    assert says in data["problem"]
    assert "map" not in arrays
    assert arrays["padded"].shape == (14, 14)


def test_groups_that_do_not_divide_the_filters_are_said_in_the_figure() -> None:
    data, arrays = several_channels(ConvolutionState(groups="3"), np.ones((3, 14, 14)))
    assert (
        data["problem"] == "3 channels and 2 filters cannot be divided into 3 groups. Take a number that divides both."
    )
    assert "maps" not in arrays


def drawn(seed: int, filters: int = 1, groups: int = 1) -> ConvolutionState:
    rng = np.random.default_rng(seed)
    side = int(rng.integers(1, 6))
    same = rng.random() < 0.25
    return ConvolutionState(
        k=kernel_text(rng.normal(size=(side, side))),
        stride=1 if same else int(rng.integers(1, 5)),
        padding="same" if same else rng.choice(["valid", "1", "2", "3"]),
        edge=rng.choice(["zeros", "reflect"]),
        dilation=int(rng.integers(1, 4)),
        flip=bool(rng.random() < 0.5),
        filters=";".join(kernel_text(rng.normal(size=(3, side, side))) for _ in range(filters)),
        groups="3" if groups == 3 else "1",
    )


def torchs(state: ConvolutionState, image: np.ndarray, kernels: np.ndarray, groups: int = 1) -> np.ndarray:
    """The same convolution as torch's `conv2d` computes it, with the padding of `functional.pad`."""
    sliding = state.sliding(kernels.shape[-1])
    top, bottom, left, right = sliding.sides
    mode = "reflect" if state.edge == "reflect" else "constant"
    given = functional.pad(torch.from_numpy(image)[None], (left, right, top, bottom), mode=mode)
    turned = kernels[..., ::-1, ::-1].copy() if state.flip else kernels
    found = functional.conv2d(
        given, torch.from_numpy(turned), stride=state.stride, dilation=state.dilation, groups=groups
    )
    return found[0].numpy()


@pytest.mark.parametrize("start", range(0, 300, 50))
def test_what_the_figure_of_one_channel_shows_is_torchs(start: int) -> None:
    compared = 0
    for seed in range(start, start + 50):
        state = drawn(seed)
        image = np.random.default_rng(seed).random((14, 14)).round(2)
        data, arrays = one_channel(state, image)
        if data["problem"]:
            continue
        found = arrays["map"]
        np.testing.assert_allclose(found, torchs(state, image[None], state.kernel[None, None])[0], atol=1e-10)
        # What the browser does: look up the pixels that the window covers, and multiply each by its number.
        rows, columns = arrays["rows"], arrays["columns"]
        patches = arrays["padded"][rows[:, None, :, None], columns[None, :, None, :]]
        np.testing.assert_allclose((patches * arrays["applied"]).sum(axis=(2, 3)), found, atol=1e-10)
        assert data["scale"] == np.abs(found).max()
        compared += 1
    assert compared > 35


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("start", [0, 50, 100])
def test_what_the_figure_of_several_channels_shows_is_torchs(start: int, groups: int) -> None:
    compared = 0
    for seed in range(start, start + 50):
        state = drawn(seed, filters=3, groups=groups)
        image = np.random.default_rng(seed).random((3, 14, 14)).round(2)
        data, arrays = several_channels(state, image)
        if data["problem"]:
            continue
        filters = np.stack([read_filter(text) for text in state.filters.split(";")])
        kernels = filters if groups == 1 else np.stack([each[[at]] for at, each in enumerate(filters)])
        np.testing.assert_allclose(arrays["maps"], torchs(state, image, kernels, groups), atol=1e-10)
        np.testing.assert_allclose(arrays["sums"].sum(axis=1), arrays["maps"], atol=1e-10)
        assert data["seen"] == ([[0, 1, 2]] * 3 if groups == 1 else [[0], [1], [2]])
        module = torch.nn.Conv2d(3, 3, filters.shape[-1], groups=groups)
        assert data["params"].endswith(f": {sum(each.numel() for each in module.parameters())} parameters")
        compared += 1
    assert compared > 35


def test_signals_are_torchs() -> None:
    for signal in ("box", "step", "impulse", "impulses", "noisy"):
        for other in ("mean", "bell", "decay", "difference", "box"):
            for flip in (False, True):
                _, arrays = two_signals(ConvolutionState(signal=signal, other=other, flip=flip))
                given = torch.from_numpy(arrays["signal"])[None, None]
                moving = torch.from_numpy(arrays["moving"].copy())[None, None]
                expected = functional.conv1d(given, moving, padding=moving.shape[-1] - 1)[0, 0]
                np.testing.assert_allclose(arrays["result"], expected.numpy(), atol=1e-12)


def test_the_answer_to_the_task_is_true() -> None:
    def plain(state: ConvolutionState, level: float) -> np.ndarray:
        return one_channel(state, np.full((14, 14), level))[1]["map"]

    for key in KERNELS:
        state = ConvolutionState(k=kernel_text(KERNELS[key].values))
        expected = 0.0 if key in ("edges", "sobel_x", "sobel_y") else 0.9
        np.testing.assert_allclose(plain(state, 0.9), expected, atol=2e-3)
    changed = KERNELS["edges"].values.copy()
    changed[1, 1] += 1
    state = ConvolutionState(k=kernel_text(changed))
    np.testing.assert_allclose(plain(state, 0.9), 0.9)
    np.testing.assert_allclose(plain(state, 0.16), 0.16)


def test_every_color_filter_can_be_named() -> None:
    assert all(ConvolutionState(filters=key).filters == key for key in COLOR_FILTERS)
