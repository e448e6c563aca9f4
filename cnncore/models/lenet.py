"""LeNet: the one of the tutorials, and LeNet-5 as it was in 1998.

Source: LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998, section II.B.
Our deviations in LeNet-5: the output is a dense layer unless the option says `rbf`; the bitmaps of the digits are
redrawn after the style of Figure 3, not copied; the first weights are normal with the deviation 1/√(inputs), where the
paper draws them uniformly within ±2.4/inputs; larger images than 32×32 give C5 feature maps whose average F6 receives.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn

from cnncore.errors import ConfigError
from cnncore.models.blocks import ACTIVATIONS, PartialConv2d, chain, conv_block, dense_block, entry, pool_layer
from cnncore.models.cnn import Rows, plain_network
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten
from cnncore.models.options import Options

TUTORIAL: Rows = ((20, True), (50, True))

C3_INPUTS = (
    "012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235",
    "012345",
)  # fmt: skip
"""The maps of S2 that each map of C3 sees (Table I)."""

DIGITS = """
.#####.  ...##..  .#####.  .#####.  ....##.
#######  ..###..  #######  #######  ...###.
##...##  .####..  ##...##  ##...##  ..####.
##...##  ...##..  .....##  .....##  .##.##.
##...##  ...##..  .....##  .....##  ##..##.
##...##  ...##..  ....##.  ..####.  ##..##.
##...##  ...##..  ...##..  ..####.  #######
##...##  ...##..  ..##...  .....##  #######
##...##  ...##..  .##....  .....##  ....##.
##...##  ...##..  ##.....  ##...##  ....##.
#######  .######  #######  #######  ....##.
.#####.  .######  #######  .#####.  ....##.

#######  ..####.  #######  .#####.  .#####.
#######  .#####.  #######  #######  #######
##.....  ##.....  .....##  ##...##  ##...##
##.....  ##.....  .....##  ##...##  ##...##
##.....  ##.....  ....##.  ##...##  ##...##
######.  ######.  ....##.  .#####.  #######
#######  #######  ...##..  .#####.  .######
.....##  ##...##  ...##..  ##...##  .....##
.....##  ##...##  ..##...  ##...##  .....##
##...##  ##...##  ..##...  ##...##  .....##
#######  #######  ..##...  #######  .#####.
.#####.  .#####.  ..##...  .#####.  .####..
"""
"""The digits 0 to 9 on 7 × 12 pixels: what the 84 units of F6 are compared with (Fig. 3, redrawn by us)."""
PIXELS = 7 * 12


class ScaledTanh(nn.Module):
    """1.7159 · tanh(2x/3), which keeps ±1 where its curvature is largest (appendix A of the paper)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsample(nn.Module):
    """The paper's pooling: the average over 2×2 pixels, times a trainable coefficient, plus a trainable bias, per map.

    The paper adds the four pixels up; an average with four times the coefficient is the same.
    """

    kind = "pooling"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = (2, 2), (2, 2), (0, 0)
        self.coefficient = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        coefficient, bias = (values[:, None, None].to(x.dtype) for values in (self.coefficient, self.bias))
        return torch.addcmul(bias, F.avg_pool2d(x, 2), coefficient)


class Bitmaps(nn.Module):
    """The paper's output layer: Euclidean RBF units, one a class, whose centers are fixed bitmaps of the digits.

    Maps features (N, 84) to logits (N, num_classes) in fp32: minus the squared distance to each class's bitmap of ±1
    (equation 7), the digits in order. Their cross-entropy is the paper's equation 9 without the constant j.
    """

    kind = "distance"

    def __init__(self, num_classes: int) -> None:
        """Makes the layer for at most as many classes as there are digits.

        Raises:
            ConfigError: if there are more.
        """
        super().__init__()
        bitmaps = digit_bitmaps()
        if num_classes > len(bitmaps):
            raise ConfigError(
                "model.output",
                f"The output layer of 1998 has bitmaps of {len(bitmaps)} digits; these images are of {num_classes} "
                "classes.",
                'Set the output to "dense".',
            )
        self.register_buffer("bitmaps", bitmaps[:num_classes], persistent=False)
        self.bitmaps: Tensor

    def forward(self, x: Tensor) -> Tensor:
        # In bf16 large distances could not be told apart.
        return -(x.float()[:, None] - self.bitmaps.float()).square().sum(dim=2)


def digit_bitmaps() -> Tensor:
    """The bitmaps of DIGITS, (10, 84): 1 for ink and -1 for paper, which F6's units reach without saturating."""
    upper, lower = (half.split("\n") for half in DIGITS.strip().split("\n\n"))
    rows = [line.split() for line in upper], [line.split() for line in lower]
    digits = ["".join(column) for half in rows for column in zip(*half, strict=True)]
    return torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in digit] for digit in digits])


def lenet_tutorial(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The LeNet of Keras tutorials: 20 and 50 filters, 500 hidden units; 431,080 parameters at 28×28×1."""
    return plain_network(options, in_shape, num_classes, TUTORIAL, hidden=500)


def lenet5(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """LeNet-5: 60,850 parameters, or 60,000 with fixed bitmaps; smaller images than 32×32 are padded to that."""
    channels, height, width = in_shape
    maps = [options.scaled(count) for count in (6, 16, 120)]
    fixed = options.output == "rbf"
    units = PIXELS if fixed else options.scaled(PIXELS)
    squash = ScaledTanh if options.activation == "tanh" else ACTIVATIONS[options.activation]
    block = partial(conv_block, options, activation=squash)
    c3 = block(maps[0], maps[1], 5)
    c3.conv = PartialConv2d(c3_connections(maps[0], maps[1]), 5)
    return chain(
        {
            **entry(options),
            **_frame(height, width),
            "c1": block(channels, maps[0], 5),
            "s2": _subsampling(options, maps[0], squash()),
            "c3": c3,
            "s4": _subsampling(options, maps[1], squash()),
            "c5": block(maps[1], maps[2], 5, lrn=False),
            "average": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "f6": dense_block(options, maps[2], units, activation=squash),
            "output": Bitmaps(num_classes) if fixed else nn.Linear(units, num_classes),
        }
    )


def c3_connections(inputs: int, outputs: int) -> Tensor:
    """Which of `inputs` maps each of `outputs` maps sees, bool (outputs, inputs).

    Table I, repeated for wider networks; with fewer than its six inputs every map sees all.
    """
    table = [[inputs < 6 or str(i % 6) in C3_INPUTS[o % 16] for i in range(inputs)] for o in range(outputs)]
    # On the CPU even where a network of "meta" tensors is built: the number of weights follows from the values.
    return torch.tensor(table, device="cpu")


def _frame(height: int, width: int) -> dict[str, nn.Module]:
    """Zeros around images smaller than 32×32."""
    down, right = max(0, 32 - height), max(0, 32 - width)
    if not down and not right:
        return {}
    return {"frame": nn.ZeroPad2d((right // 2, right - right // 2, down // 2, down - down // 2))}


def _subsampling(options: Options, channels: int, squash: nn.Module) -> nn.Module:
    if options.pool == "subsample":
        return chain({"subsample": Subsample(channels), "activation": squash})
    return pool_layer(options)
