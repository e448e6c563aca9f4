"""The Train form as a table: what each setting is called, what its tooltip says, where it stands.

Kinds and ranges of the inputs come from `cnncore.config`; names of networks, data sets and the like from the catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnncore.catalog import AUGMENTATIONS, DATASETS, MODELS, OPTIMIZERS, SCHEDULES
from cnncore.config import FIELDS, TrainConfig, TransferConfig
from pages.components.form_field import FormField
from pages.components.form_transfer import TRANSFER


def _titles(table: Mapping[str, Any]) -> dict[str, str]:
    return {key: row.title for key, row in table.items()}


_OPTIMIZER = {
    "optimizer.name": FormField(
        title="Optimizer",
        help="The rule that turns gradients into steps of the weights.",
        labels=_titles(OPTIMIZERS),
        wide=True,
    ),
    "optimizer.lr": FormField(
        title="Learning rate",
        help="Length of a step (η, step size; α in Adam's paper). With a schedule it is the highest rate.",
    ),
    "optimizer.momentum": FormField(
        title="Momentum", help="Share of the previous step that is carried on (μ, heavy ball).", step=0.05
    ),
    "optimizer.beta1": FormField(
        title="β₁", help="Decay of the moving average of the gradient (first moment).", step=0.01
    ),
    "optimizer.beta2": FormField(
        title="β₂", help="Decay of the moving average of the squared gradient (second moment).", step=0.001
    ),
    "optimizer.eps": FormField(
        title="ε", help="Added to the denominator so that nothing is divided by zero. Keras takes 1e-7, PyTorch 1e-8."
    ),
    "optimizer.alpha": FormField(
        title="α", help="Decay of the moving average of the squared gradient (ρ in some libraries).", step=0.01
    ),
    "optimizer.weight_decay": FormField(
        title="Weight decay",
        help="Pulls weights towards zero (L2 regularization, λ). Decoupled from the gradient in AdamW.",
    ),
}

_SCHEDULE = {
    "schedule.name": FormField(
        title="Schedule",
        help="How the learning rate moves during training (annealing, decay policy). The curve is drawn at the right.",
        labels=_titles(SCHEDULES),
        wide=True,
    ),
    "schedule.warmup_epochs": FormField(
        title="Warm-up epochs", help="Epochs over which the rate rises linearly to its full height.", step=0.5
    ),
    "schedule.step_epochs": FormField(title="Every … epochs", help="Epochs between two drops (step size).", step=1),
    "schedule.gamma": FormField(
        title="Factor", help="What the rate is multiplied by at each drop (decay factor, γ).", step=0.05
    ),
    "schedule.milestones": FormField(
        title="Milestones", help="Epochs at which the rate drops, with commas between them.", wide=True
    ),
    "schedule.final_fraction": FormField(
        title="Ends at", help="The last learning rate as a share of the highest (η_min / η_max).", step=0.01
    ),
    "schedule.rise_fraction": FormField(
        title="Rises for", help="Share of the training during which the rate rises (pct_start).", step=0.05
    ),
    "schedule.start_fraction": FormField(
        title="Starts at", help="The first learning rate as a share of the highest (1 / div_factor).", step=0.01
    ),
}

_MODEL = {
    "model.name": FormField(
        title="Network", help="The architecture that is trained.", labels=_titles(MODELS), wide=True
    ),
    "model.activation": FormField(
        title="Activation",
        help="The nonlinearity after each layer. Sigmoid and tanh saturate; ReLU made deep networks trainable.",
        none="as published",
        labels={
            "relu": "ReLU",
            "relu6": "ReLU6",
            "leaky_relu": "Leaky ReLU",
            "elu": "ELU",
            "gelu": "GELU",
            "silu": "SiLU (Swish)",
            "tanh": "tanh",
            "sigmoid": "sigmoid",
        },
    ),
    "model.norm": FormField(
        title="Normalization",
        help="LRN: local response normalization (AlexNet). Batch: batch normalization (Ioffe, Szegedy, 2015).",
        none="as published",
        labels={"none": "none", "lrn": "LRN", "batch": "batch"},
    ),
    "model.pool": FormField(
        title="Pooling",
        help="How maps are shrunk. Overlapping: 3×3 windows, stride 2. Trainable: LeNet-5's sub-sampling layers.",
        none="as published",
        labels={"max": "max", "average": "average", "overlapping": "overlapping max", "subsample": "trainable"},
    ),
    "model.dropout": FormField(
        title="Dropout",
        help="Share of hidden units switched off at random in each step (Srivastava et al., 2014).",
        none="as published",
        step=0.05,
    ),
    "model.init": FormField(
        title="Initialization",
        help="How the weights start. Kaiming: He et al., 2015. Glorot: Xavier, 2010. LeCun: Efficient BackProp, 1998.",
        none="as published",
        labels={
            "pytorch": "PyTorch",
            "kaiming": "Kaiming (He)",
            "glorot": "Glorot (Xavier)",
            "lecun": "LeCun",
            "normal": "normal, 0.01",
        },
    ),
    "model.stem": FormField(
        title="First layers",
        help="Networks made for 224 pixels shrink their maps early. Small: a gentler stem for 28 to 64 pixels. "
        "Automatic: small below 96 pixels.",
        none="automatic",
        labels={"auto": "automatic", "published": "as published", "small": "for small images"},
    ),
    "model.shortcut": FormField(
        title="Shortcuts",
        help="Where sizes differ: A sub-samples and pads with zeros, B projects by a 1×1 convolution; C projects "
        "everywhere (He et al., 2015, section 4.1).",
        none="as published",
        labels={"A": "A: zeros", "B": "B: projections", "C": "C: all projections"},
    ),
    "model.stride_in": FormField(
        title="Bottleneck stride",
        help="Which convolution of a bottleneck halves the maps: the 1×1 in the paper, the 3×3 in torchvision "
        '("v1.5").',
        none="as published",
        labels={"1x1": "in the 1×1", "3x3": "in the 3×3"},
    ),
    "model.module": FormField(
        title="Inception module",
        help="Naive: without the 1×1 reductions, as in Figure 2(a) of the paper. It costs many times as much.",
        none="as published",
        labels={"reduced": "with reductions", "naive": "naive"},
    ),
    "model.output": FormField(
        title="Output layer",
        help="LeNet-5 compared its last features with fixed bitmaps of the characters (RBF units); now a dense layer "
        "is usual.",
        none="dense",
        labels={"dense": "dense", "rbf": "bitmaps (RBF)"},
    ),
    "model.aux": FormField(
        title="Auxiliary heads",
        help="Extra classifiers on inner layers that help the gradient while training (deep supervision).",
        none="as published",
        labels={"on": "on", "off": "off"},
    ),
    "model.width": FormField(
        title="Width", help="Factor on the number of filters and hidden units (width multiplier).", step=0.125
    ),
    "model.input_size": FormField(
        title="Input size",
        help="Pixels the images are enlarged or shrunk to before the network (upsampling, resolution).",
        none="native",
        step=4,
    ),
}

_DATA = {
    "data.dataset": FormField(
        title="Data set", help="The images the network learns from.", labels=_titles(DATASETS), wide=True
    ),
    "data.path": FormField(
        title="Folder",
        help="Folder on the machine that runs the lab: one folder a class, or train/ and val/ above them.",
        none="/path/to/images",
        wide=True,
    ),
    "data.image_set": FormField(
        title="Image set",
        help="Images of your own; sets of them are made on the Transfer page.",
        none="none yet: make one on the Transfer page",
        wide=True,
    ),
    "data.crop": FormField(
        title="Middle square",
        help="Side of the square that is kept, as a share of the image's shorter side (center crop).",
        step=0.05,
    ),
    "data.interpolation": FormField(
        title="Resizing",
        help="How images of a folder or an image set are brought to their stored size.",
        labels={"bicubic": "bicubic", "bilinear": "bilinear"},
    ),
    "data.train_images": FormField(
        title="Training images",
        help="How many of the training images are used, the same share of every class. Empty: all of them.",
        none="all",
        step=500,
    ),
    "data.validation": FormField(
        title="Validation share",
        help="Share of the training images set aside to judge each epoch (held-out set, development set).",
        step=0.05,
    ),
    "data.image_size": FormField(
        title="Stored size", help="Pixels the images are stored at. Empty: their own size.", none="native", step=4
    ),
    "data.normalize": FormField(
        title="Pixel values",
        help="Standardized: mean 0 and deviation 1 per channel, measured on the training images.",
        labels={
            "standardize": "standardized",
            "unit": "0 to 1",
            "symmetric": "−1 to 1",
            "imagenet": "by ImageNet's mean and deviation",
        },
    ),
    "data.seed": FormField(title="Seed of the division", help="Which images go where; same seed, same division."),
}

_TRAINING = {
    "training.batch_size": FormField(
        title="Batch size", help="Images a step of the optimizer looks at (mini-batch size).", step=16
    ),
    "training.epochs": FormField(title="Epochs", help="How often every training image is seen (passes)."),
    "training.label_smoothing": FormField(
        title="Label smoothing",
        help="Share of the target spread over all classes, so that the network is less sure (Szegedy et al., 2015).",
        step=0.01,
    ),
    "training.clip_norm": FormField(
        title="Gradient clipping",
        help="Largest length (L2 norm) of the whole gradient; longer ones are shortened. Empty: off.",
        step=0.5,
    ),
    "training.ema": FormField(
        title="Weight average",
        help="Decay of the exponential moving average (EMA) of the weights that is evaluated. Empty: off.",
        step=0.001,
    ),
    "training.patience": FormField(
        title="Early stopping",
        help="Ends after this many epochs without a lower validation loss (patience). Empty: off.",
    ),
    "training.seed": FormField(
        title="Seed", help="Start of all random numbers: weights, order of the images, augmentation, dropout."
    ),
    "training.start_from": FormField(
        title="Start from the weights of",
        help="A run with this network, trained or imported: training goes on from its weights instead of random ones "
        "(fine-tuning). Where the classes differ in number, the last layer starts anew.",
        none="random weights",
        wide=True,
    ),
    "training.precision": FormField(
        title="Precision",
        help="Number format of the network's arithmetic. Auto: bfloat16 where the hardware does it natively, "
        "else float32 (mixed precision).",
        labels={"auto": "automatic", "fp32": "float32", "bf16": "bfloat16", "fp16": "float16"},
    ),
    "training.device": FormField(
        title="Device",
        help="What computes. Auto: the first usable GPU, else the processor.",
        labels={"auto": "automatic", "cpu": "Processor (CPU)"},
    ),
    "training.compile": FormField(
        title="Compile",
        help="torch.compile: sometimes faster steps (kernel fusion), after a start that takes seconds to minutes "
        "longer. It needs a C++ compiler on the machine that trains.",
    ),
    "training.deterministic": FormField(
        title="Deterministic", help="The same numbers bit for bit on a GPU too, at a cost in speed."
    ),
    "training.tensorboard": FormField(
        title="TensorBoard files",
        help="Also writes event files into the run's folder while it trains, for those who watch curves in "
        "TensorBoard. Every run can be exported to TensorBoard afterwards too.",
    ),
}

_AUGMENT = {
    f"augment.{key}": FormField(
        title=row.title,
        help=f"{row.summary} Counted in {row.unit}; usual: {row.typical:g}."
        + (f" Source: {row.source}." if row.source else ""),
        slider=row.step,
    )
    for key, row in AUGMENTATIONS.items()
}

FORM: dict[str, FormField] = _MODEL | _DATA | _OPTIMIZER | _SCHEDULE | _TRAINING | _AUGMENT | TRANSFER
"""Every setting of the form by its dotted name."""


def setting_title(name: str) -> str:
    """A setting by its label and its dotted name: `Learning rate (optimizer.lr)`."""
    return f"{FORM[name].title} ({name})" if name in FORM else name


@dataclass(frozen=True, kw_only=True)
class Group:
    """A part of the form: settings that are always seen, then folded ones under `more`."""

    title: str
    fields: tuple[str, ...] = ()
    more: str = ""
    folded: tuple[str, ...] = ()

    @property
    def all_fields(self) -> tuple[str, ...]:
        return self.fields + self.folded


GROUPS = (
    Group(
        title="Network",
        fields=("model.name",),
        more="Network options",
        folded=tuple(name for name in _MODEL if name != "model.name"),
    ),
    Group(
        title="Images",
        fields=("data.dataset", "data.path", "data.image_set", "data.train_images", "data.validation"),
        more="Image options",
        folded=("data.image_size", "data.crop", "data.interpolation", "data.normalize", "data.seed"),
    ),
    Group(
        title="Training",
        fields=(
            "training.epochs",
            "training.batch_size",
            "optimizer.lr",
            "optimizer.name",
            "schedule.name",
            "schedule.milestones",
            "schedule.step_epochs",
        ),
        more="Optimizer and schedule details",
        folded=(
            "optimizer.momentum",
            "optimizer.beta1",
            "optimizer.beta2",
            "optimizer.eps",
            "optimizer.alpha",
            "schedule.gamma",
            "schedule.warmup_epochs",
            "schedule.rise_fraction",
            "schedule.start_fraction",
            "schedule.final_fraction",
        ),
    ),
    Group(title="Transfer learning", more="Transfer learning", folded=tuple(TRANSFER)),
    Group(title="Augmentation", more="Augmentation", folded=tuple(_AUGMENT)),
    Group(
        title="Advanced",
        more="Advanced",
        folded=(
            "optimizer.weight_decay",
            *(name for name in _TRAINING if name not in ("training.batch_size", "training.epochs")),
        ),
    ),
)


def _schema() -> dict[str, dict[str, Any]]:
    """Each setting's JSON schema with the `null` of an optional one taken out."""
    found: dict[str, dict[str, Any]] = {}
    for section, info in TrainConfig.model_fields.items():
        for name, schema in info.annotation.model_json_schema()["properties"].items():  # type: ignore[union-attr]
            real = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
            found[f"{section}.{name}"] = {**schema, **real[0]} if real else schema
    return found


SCHEMA = _schema()


_OF_ONE_DATASET = {"path": "folder", "image_set": "image_set"}


def relevant(config: TrainConfig) -> frozenset[str]:
    """The settings that have a meaning with the network, data set, optimizer and schedule of `config`."""
    options = {"name", "width", "input_size", *config.model_spec.defaults}
    optimizer = {"name", "lr", "weight_decay", *OPTIMIZERS[config.optimizer.name].settings}
    schedule = {"name", "warmup_epochs", *SCHEDULES[config.schedule.name].settings}
    read = {"model": options, "optimizer": optimizer, "schedule": schedule}
    unread = {name for name, dataset in _OF_ONE_DATASET.items() if config.data.dataset != dataset}
    if config.dataset_spec.num_train:
        unread |= {"crop", "interpolation"}
    # Validation images of its own leave a data set nothing to set aside.
    own_validation = config.dataset_spec.num_validation or config.data.dataset == "image_set"
    unread |= {"validation"} if own_validation else set[str]()
    read["data"] = {name.partition(".")[2] for name in _DATA} - unread
    read["transfer"] = set(TransferConfig.model_fields) if config.transfer.active else set[str]()
    return frozenset(
        name for name in FIELDS if (part := name.partition("."))[0] not in read or part[2] in read[part[0]]
    )
