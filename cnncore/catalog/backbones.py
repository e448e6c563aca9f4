"""Pretrained weights that transfer learning starts from: one row each, with where they come from and what they expect.

Preprocessing belongs to the weights: whoever uses them resizes, crops and normalizes as it stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cnncore.catalog.datasets import RemoteFile
from cnncore.catalog.models import Published

DEFAULT_BACKBONE = "efficientnet_lite0"
"""Comes with the packages the lab needs anyway, so that transfer learning works without a network."""


@dataclass(frozen=True, kw_only=True)
class BackboneSpec:
    """Weights of one network.

    Attributes:
        network: Key of `MODELS`.
        options: Options of the network that the weights were trained with, where they are not its defaults.
        file: The file of weights: its name, checksum and size.
        mirrors: Addresses the file's name is appended to, tried in order; none where a package brings it.
        package: Python package that the file lies in; empty where it is downloaded.
        hub: Repository on Hugging Face whose cache may hold the weights (`timm/...`); or empty.
        image_size: Height and width in pixels.
        crop: Side of the middle square that is kept, as a share of the shorter side (`data.crop`).
        interpolation: `data.interpolation`.
        normalize: `data.normalize`.
        features: Numbers that the head receives for each image.
        result: Accuracy on ImageNet that the source reports.
        license: Of the weights, as far as their source says.
        note: What one should know before choosing it, in one sentence; or empty.
    """

    title: str
    network: str
    source: str
    license: str
    file: RemoteFile
    result: Published
    image_size: int
    features: int
    options: dict[str, str] = field(default_factory=dict[str, str])
    mirrors: tuple[str, ...] = ()
    package: str = ""
    hub: str = ""
    crop: float = 0.875
    interpolation: str = "bilinear"
    normalize: str = "imagenet"
    note: str = ""


BACKBONES: dict[str, BackboneSpec] = {}
"""Every backbone by its key, small ones first."""
