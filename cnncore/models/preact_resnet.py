"""Residual networks whose blocks normalize and activate before each convolution, so that shortcuts stay clean.

Source: He, Zhang, Ren, Sun: Identity mappings in deep residual networks, 2016; CIFAR forms with 16, 32 and 64 filters:
110 layers of basic blocks, 164 and 1001 layers of bottleneck blocks, which put out four times as many channels. As in
the authors' code the first block of each stage takes its shortcut from behind the first normalization and activation,
which follow the stem directly in the first stage (appendix); one more pair stands after the last sum. Bottleneck blocks
halve the maps in their first 1×1 convolution (`stride_in="1x1"`). Shortcuts as in `cnncore.models.resnet`; projections
have neither normalization nor activation of their own.

Also here: the small residual network of tutorials for 28×28 pixels. Our reading of it: convolutions keep the size and
have biases, as frameworks have them by default; projections start from the block's input; nothing stands between the
last sum and the dense layers, which are activated as usual. Our deviation: above 32 pixels the last maps are averaged
to 8×8, so that the first dense layer does not grow with the image.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from cnncore.models.blocks import ACTIVATIONS, chain, dense_block, entry, shrink_to
from cnncore.models.options import Options
from cnncore.models.resnet import CIFAR, EXPANSION, Shortcut, head, stride_of_first_two

TUTORIAL_STEM, TUTORIAL_STAGES, TUTORIAL_UNITS = 8, (16, 32, 64), 128
TUTORIAL_BLOCKS = 2
LARGEST_GRID = 8
"""Side of the tutorial network's last maps for 32 pixels; larger ones are averaged down to it."""


@dataclass(frozen=True)
class Layout:
    """Blocks in each of the three stages, and whether they are bottlenecks."""

    blocks: int
    bottleneck: bool


LAYOUTS = {
    "preresnet110": Layout(18, bottleneck=False),
    "preresnet164": Layout(18, bottleneck=True),
    "preresnet1001": Layout(111, bottleneck=True),
}


@dataclass(frozen=True)
class Window:
    """A convolution inside a block."""

    filters: int
    kernel: int
    stride: int = 1


class PreactivationBlock(nn.Module):
    """Normalization, activation and convolution, two or three times; the block's input is added to the result.

    With `shared` the shortcut starts behind the first normalization and activation.
    """

    def __init__(
        self,
        options: Options,
        in_channels: int,
        windows: tuple[Window, ...],
        shortcut: nn.Module,
        *,
        shared: bool,
        bias: bool,
    ) -> None:
        super().__init__()
        self.shared = shared
        self.before = chain(_before(options, in_channels, keep_input=True))
        layers: dict[str, nn.Module] = {}
        channels = in_channels
        for number, window in enumerate(windows, start=1):
            if number > 1:
                layers |= {
                    f"{name}{number}": layer for name, layer in _before(options, channels, keep_input=False).items()
                }
            layers[f"conv{number}"] = nn.Conv2d(
                channels, window.filters, window.kernel, window.stride, window.kernel // 2, bias=bias
            )
            channels = window.filters
        self.residual = chain(layers)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        active = self.before(x)
        # In place: a convolution does not need its own output for the backward pass.
        return self.residual(active).add_(self.shortcut(active if self.shared else x))


def preactivation_network(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The network of LAYOUTS[options.name]; it takes images of any size."""
    layout = LAYOUTS[options.name]
    channels, bias = options.scaled(CIFAR[0]), options.norm == "none"
    stem = chain({"conv": nn.Conv2d(in_shape[0], channels, 3, padding=1, bias=bias)})
    layers = {**entry(options), "stem": stem}
    for number, count in enumerate(CIFAR, start=1):
        stage: dict[str, nn.Module] = {}
        for index in range(1, layout.blocks + 1):
            stride = 2 if index == 1 and number > 1 else 1
            windows = _windows(options, layout, options.scaled(count), stride)
            shortcut = _shortcut(options, channels, windows[-1].filters, stride)
            shared = index == 1 or options.shortcut == "C"
            stage[f"block{index}"] = PreactivationBlock(options, channels, windows, shortcut, shared=shared, bias=bias)
            channels = windows[-1].filters
        layers[f"stage{number}"] = chain(stage)
    layers["after"] = chain(_before(options, channels, keep_input=True))
    return chain({**layers, **head(channels, num_classes)})


def tutorial_network(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The tutorials' network: three stages of two blocks, max pooling after the first two, two dense layers."""
    channels, *size = in_shape
    filters = options.scaled(TUTORIAL_STEM)
    layers = {**entry(options), "stem": chain({"conv": nn.Conv2d(channels, filters, 3, padding=1)})}
    channels = filters
    for number, count in enumerate(TUTORIAL_STAGES, start=1):
        filters = options.scaled(count)
        stage: dict[str, nn.Module] = {}
        for index in range(1, TUTORIAL_BLOCKS + 1):
            windows = (Window(filters, 3), Window(filters, 3))
            shortcut = nn.Identity() if channels == filters else nn.Conv2d(channels, filters, 1)
            stage[f"block{index}"] = PreactivationBlock(options, channels, windows, shortcut, shared=False, bias=True)
            channels = filters
        if number < len(TUTORIAL_STAGES):
            stage["pool"] = nn.MaxPool2d(2)
            size = [side // 2 for side in size]
        layers[f"stage{number}"] = chain(stage)
    shrink, positions = shrink_to(LARGEST_GRID, *size)
    units = options.scaled(TUTORIAL_UNITS)
    dense = {"fc1": dense_block(options, channels * positions, units), "output": nn.Linear(units, num_classes)}
    return chain({**layers, **shrink, **dense})


def _before(options: Options, channels: int, *, keep_input: bool) -> dict[str, nn.Module]:
    """What stands before a convolution; with `keep_input` it never changes its input, which a shortcut needs too."""
    activation = ACTIVATIONS[options.activation]()
    if options.norm == "batch":
        return {"norm": nn.BatchNorm2d(channels), "activation": activation}
    if keep_input and isinstance(activation, (nn.ReLU, nn.LeakyReLU, nn.ELU)):
        activation.inplace = False
    return {"activation": activation}


def _windows(options: Options, layout: Layout, filters: int, stride: int) -> tuple[Window, ...]:
    if not layout.bottleneck:
        return Window(filters, 3, stride), Window(filters, 3)
    first, second = stride_of_first_two(options, stride)
    return Window(filters, 1, first), Window(filters, 3, second), Window(EXPANSION * filters, 1)


def _shortcut(options: Options, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    same = stride == 1 and in_channels == out_channels
    if options.shortcut == "C" or (options.shortcut == "B" and not same):
        return nn.Conv2d(in_channels, out_channels, 1, stride, bias=options.norm == "none")
    return nn.Identity() if same else Shortcut(in_channels, out_channels, stride)
