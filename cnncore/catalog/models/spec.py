"""What the lab knows about a network: one `ModelSpec` a row, in the files beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid")
NORMS = ("none", "lrn", "batch")
POOLS = ("max", "average", "overlapping", "subsample")
INITS = ("pytorch", "kaiming", "glorot", "lecun", "normal")
STEMS = ("auto", "published", "small")

PLAIN = {"activation": ACTIVATIONS, "norm": NORMS, "pool": ("max", "average", "overlapping"), "init": INITS}
"""The choices of a plain network; what a family has beside them, its rows add."""

SMALL_BELOW = 96
"""Height or width in pixels below which `stem="auto"` means the stem for small images."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One accuracy that a source reports.

    Attributes:
        dataset: `ImageNet` (ILSVRC-2012 validation unless the protocol says otherwise), `CIFAR-10`, `MNIST`.
        protocol: How it was measured, for example `10 crops`; results of two protocols are never compared. `1 crop` is
            of weights that torchvision or timm offer, `1 crop, papers` of the authors' own, trained by other recipes.
        top1: Share of images in percent whose first guess is right; `None` where the source does not say.
        top5: Share of images in percent that have the right class among the first five guesses.
        source: Where it stands: paper and table, or whose weights.
    """

    dataset: str
    protocol: str
    source: str
    top1: float | None = None
    top5: float | None = None


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One network: its facts, its defaults and the options it has.

    Attributes:
        family: Name of the family; charts color by it.
        builder: `module:function`, called as `function(options, in_shape, num_classes)`; see `cnncore.models`.
            A function that builds several networks tells them apart by `options.name`, the key of the row.
        native_size: Input height and width in pixels the published form takes.
        min_size: Smallest input height and width in pixels that leaves something to classify, with the stem for small
            images where the network has one.
        published_min_size: The same for the published stem; 0 where the network has no stem for small images.
        small_stem: What differs on small images, in one sentence; empty where nothing does.
        in_channels: Channels of the published form.
        num_classes: Classes of the published form.
        num_params: Trainable parameters of the published form, auxiliary heads included.
        depth: Layers with weights (convolutions and dense layers) on the longest way from image to class, as papers
            count them; projections in shortcuts and auxiliary heads do not count.
        facts: What the source says, one sentence each.
        cautions: What it gets confused with, and what is often told wrong about it, one sentence each.
        results: The accuracies its source reports.
        torchvision: Name of torchvision's function whose state_dict fits, through `cnncore.models.names`; or empty.
        timm: Name of the network in timm whose state_dict fits; or empty.
        taps: Names of the layers worth seeing, input side first.
        defaults: The published value of every option the network has.
        choices: The allowed values of the options that are names; an option that is missing does not exist here.
        refusals: Why an option's value is impossible here, keyed `option` or `option=value`; `width` where the network
            has one width only.
        aux_weight: Weight of each auxiliary head's loss; 0 without such heads.
    """

    title: str
    family: str
    year: int
    builder: str
    source: str
    summary: str
    native_size: int
    min_size: int
    in_channels: int
    num_classes: int
    num_params: int
    depth: int
    published_min_size: int = 0
    small_stem: str = ""
    facts: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    results: tuple[Published, ...] = ()
    torchvision: str = ""
    timm: str = ""
    taps: tuple[str, ...] = ()
    defaults: Mapping[str, str | float] = field(default_factory=dict[str, str | float])
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    refusals: Mapping[str, str] = field(default_factory=dict[str, str])
    aux_weight: float = 0.0

    def stem(self, chosen: str | None, side: int) -> str:
        """`published` or `small`: the stem for images whose shorter side has `side` pixels.

        Args:
            chosen: One of STEMS, or `None` for the network's default.
            side: Pixels.
        """
        stem = chosen or str(self.defaults.get("stem", "published"))
        if stem == "auto":
            return "small" if side < SMALL_BELOW else "published"
        return stem

    def least_size(self, chosen: str | None, side: int) -> int:
        """Smallest height and width in pixels for the stem that images of `side` pixels get."""
        small = "stem" not in self.defaults or self.stem(chosen, side) == "small"
        return self.min_size if small else self.published_min_size
