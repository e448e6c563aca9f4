"""Trainings for reading curves: what is trained, what the curves show, where to see it, and what to do.

No result stands here: the words take their numbers from the recordings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cnncore.lessons.recordings import Recording

Chart = Literal["loss", "accuracy"]

NEAR_COPIES, WRONG_LABELS = "near copies", "wrong labels"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What may be the matter.

    Attributes:
        title: What the button says.
        name: Within a sentence.
        sign: What it looks like.
    """

    title: str
    name: str
    sign: str


DIAGNOSES: dict[str, Diagnosis] = {
    "fine": Diagnosis(
        title="Nothing is wrong",
        name="a healthy training",
        sign="both losses fall and level off, and validation and test agree",
    ),
    "over": Diagnosis(
        title="Over-fitting",
        name="over-fitting",
        sign="the training loss goes on towards 0 while the validation loss turns and rises",
    ),
    "under": Diagnosis(
        title="Under-fitting",
        name="under-fitting",
        sign="training itself is bad, and validation just as bad",
    ),
    "high": Diagnosis(
        title="Learning rate too high",
        name="a learning rate that is too high",
        sign="the loss jumps up again and again, stays high, or becomes infinite",
    ),
    "leak": Diagnosis(
        title="Leakage",
        name="leakage",
        sign="validation is far better than the test, which saw none of the images before",
    ),
    "labels": Diagnosis(
        title="Wrong labels",
        name="wrong labels",
        sign="training is much worse than validation for long, and then validation falls while training still rises",
    ),
}
"""What a person can answer, in the order of the buttons."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A training whose curves show something.

    Attributes:
        settings: What is trained, on top of `BASE`.
        tampered: What the recorder does to the training images, "" for nothing.
        answer: Key of `DIAGNOSES`.
        why: What the curves say, with `Recording.facts` in braces.
        where: What is seen in the marked stretch, in a few words.
        fix: What to do.
        chart: On which of the two charts it is marked.
        span: From which epoch to which.
        nearly: What is to be said to other answers that have something in them, by key of `DIAGNOSES`.
    """

    settings: Mapping[str, object]
    answer: str
    why: str
    where: str
    fix: str
    chart: Chart
    span: Callable[[Recording], tuple[float, float]]
    tampered: str = ""
    nearly: Mapping[str, str] = field(default_factory=dict[str, str])


BASE: Mapping[str, object] = {
    "data.dataset": "mnist5k",
    "model.name": "lenet_tutorial",
    "optimizer.lr": 1e-3,
    "schedule.name": "constant",
    "training.batch_size": 64,
    "training.precision": "fp32",
}
"""What all cases have in common; they are trained on the CPU with one thread."""


def _all(recording: Recording) -> tuple[float, float]:
    return 0.0, float(recording.num_epochs)


def _from_lowest(recording: Recording) -> tuple[float, float]:
    return float(recording.lowest), float(recording.num_epochs)


def _to_lowest(recording: Recording) -> tuple[float, float]:
    return 0.0, float(recording.lowest)


def _last_third(recording: Recording) -> tuple[float, float]:
    return 2 / 3 * recording.num_epochs, float(recording.num_epochs)


def _before_the_end(recording: Recording) -> tuple[float, float]:
    return 0.0, float(recording.step_epochs[-1])


def _around_the_drop(recording: Recording) -> tuple[float, float]:
    return recording.dropped - 0.5, recording.dropped + 1.5


CASES: dict[str, Case] = {
    "a": Case(
        settings={"training.epochs": 15, "augment.translation": 0.08},
        answer="fine",
        why="Both losses fall quickly, then level off together. Validation ends at {val_accuracy}, training at "
        "{train_accuracy}, and the test, which was looked at once, gives {test_accuracy}: they agree.",
        where="both level, close together",
        fix="Nothing to mend. The small ups and downs of validation are chance: 500 images tell it to about a percent.",
        chart="loss",
        span=_last_third,
    ),
    "b": Case(
        settings={
            "model.name": "cnn3",
            "model.width": 2.0,
            "data.train_images": 100,
            "training.batch_size": 16,
            "training.epochs": 25,
        },
        answer="over",
        why="{num_params} weights and {num_train} images: the network learns them by heart. Training reaches "
        "{train_accuracy}; the validation loss is lowest after epoch {lowest}, at {lowest_loss}, and rises "
        "to {val_loss}: it gets surer of its mistakes. The accuracy hardly shows that, the loss does.",
        where="training falls on, validation rises",
        fix="More images, or augmentation, which makes more of them; a smaller network, dropout, weight decay; stop at "
        "the lowest validation loss (early stopping).",
        chart="loss",
        span=_from_lowest,
    ),
    "c": Case(
        settings={
            "optimizer.name": "momentum",
            "optimizer.lr": 0.1,
            "training.batch_size": 32,
            "training.epochs": 6,
        },
        answer="high",
        why="At first it learns: the loss of the steps falls to {lowest_step_loss}. Then it leaps up within a few "
        "steps and stays high: from then on it is 2.30 = ln 10, which is what guessing among ten classes gives. Often "
        "ReLUs have died then: they give 0 for every image. In the end {train_accuracy} of the training images are "
        "right.",
        where="it falls, leaps up, and stays at guessing",
        nearly={
            "under": "Training is bad here, but not for want of a larger network or more time: it had begun to learn, "
            "and lost it again.",
        },
        fix="A learning rate that is several times smaller, or a warm-up and a schedule that lets it fall; the Train "
        "page can search for one.",
        chart="loss",
        span=_all,
    ),
    "d": Case(
        settings={"model.name": "lenet5", "model.width": 0.125, "training.epochs": 20},
        answer="under",
        why="Training and validation agree, but on too little: {train_accuracy} and {val_accuracy} after "
        "{num_epochs} epochs, on images that the network of case 1 gets nearly all right. With {num_params} weights "
        "this one has no room for more; it only creeps.",
        where="nearly level, together, and too low",
        fix="A larger network, or less of what holds it back (dropout, weight decay, strong augmentation). More images "
        "would not help: it has not even learned these.",
        chart="accuracy",
        span=_last_third,
    ),
    "e": Case(
        settings={"data.train_images": 300, "training.epochs": 15},
        tampered=NEAR_COPIES,
        answer="leak",
        nearly={
            "over": "The test says that the network has learned by heart, so it does over-fit. But why does validation "
            "not show it?",
            "fine": "Training and validation look fine. The test does not.",
        },
        why="{val_accuracy} on the validation images, {test_accuracy} on the test images: the gap is the sign. "
        "Here every validation image had been put among the training images as well, shifted by one pixel, as happens "
        "when copies are not found or frames of one film are divided by chance. So validation praises what was learned "
        "by heart.",
        where="validation far above the test",
        fix="Divide before augmenting, keep everything of one person, film or place on one side, and look for near "
        "duplicates (the Transfer page does). A validation result that is too good is a reason to look.",
        chart="accuracy",
        span=_last_third,
    ),
    "f": Case(
        settings={"optimizer.name": "sgd", "training.epochs": 15},
        answer="under",
        why="Nothing is level: both losses still fall when training ends, in a nearly straight line, and training "
        "itself has reached {train_accuracy} only. The network could do more; the steps are too short, or there are "
        "too few of them.",
        where="still falling when it ends",
        fix="A larger learning rate, or momentum, which makes the steps longer; else more epochs.",
        chart="loss",
        span=_last_third,
    ),
    "g": Case(
        settings={
            "model.dropout": 0.5,
            "augment.translation": 0.15,
            "augment.rotation": 25.0,
            "augment.zoom": 0.2,
            "training.epochs": 15,
        },
        answer="fine",
        why="Validation is better than training in every epoch ({val_accuracy} against {train_accuracy} in the "
        "last), and yet nothing has leaked: the test agrees with {test_accuracy}. Training images are shifted, "
        "turned and zoomed, and half of the hidden units are off; and its numbers are the mean over an epoch, in which "
        "the network was not yet what it is at the end.",
        where="validation above training, and the test with it",
        fix="Nothing to mend. Training could go on: both losses still fall.",
        chart="accuracy",
        span=_all,
    ),
    "h": Case(
        settings={"training.epochs": 20},
        tampered=WRONG_LABELS,
        answer="labels",
        why="After epoch {lowest} training is at {train_at_lowest}, validation at {val_at_lowest}, without "
        "any augmentation: the network is right about training images whose labels are not. In this recording three of "
        "ten training labels were exchanged. Then it learns the wrong ones by heart too: training rises to "
        "{train_accuracy}, validation falls to {val_accuracy}.",
        where="training far below validation",
        nearly={
            "over": "In the end the network learns by heart, as in over-fitting. But that training is so much worse "
            "than validation at first has another reason.",
        },
        fix="Look at the training images that the network contradicts most (the Inspector shows them) and mend their "
        "labels; until then stop early.",
        chart="accuracy",
        span=_to_lowest,
    ),
    "i": Case(
        settings={
            "model.activation": "leaky_relu",
            "optimizer.name": "momentum",
            "optimizer.lr": 0.5,
            "training.epochs": 5,
        },
        answer="high",
        why="Each step overshoots more than the one before: the loss climbs to {highest_loss}, then it is no number "
        "any more (NaN), within the first epoch. The lab stops there and says so.",
        where="it explodes",
        fix="A much smaller learning rate; clipping the gradient or a warm-up where only the start is rough.",
        chart="loss",
        span=_before_the_end,
    ),
    "j": Case(
        settings={
            "optimizer.name": "momentum",
            "optimizer.lr": 0.06,
            "schedule.name": "multistep",
            "schedule.milestones": (8.0,),
            "training.batch_size": 32,
            "training.epochs": 14,
            "augment.translation": 0.1,
            "augment.rotation": 10.0,
            "augment.zoom": 0.1,
        },
        answer="fine",
        why="Up to epoch {dropped} the losses are noisy and fall ever more slowly; then both fall suddenly, in "
        "training and in validation. That is the schedule: the learning rate was divided by ten. Long steps had "
        "jumped from one side of the valley to the other, short ones go down into it. The test gives {test_accuracy}.",
        where="the learning rate falls, and so does the loss",
        nearly={
            "high": "For the first epochs it is too high to come to rest, and long steps at first are meant. The "
            "schedule takes care of it.",
        },
        fix="Nothing to mend; the drop could have come earlier. A cosine or one-cycle schedule does it gently.",
        chart="loss",
        span=_around_the_drop,
    ),
}
"""In the order in which they are shown; their keys tell nothing."""
