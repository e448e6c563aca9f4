"""What the link says is trained on what: the image set, and the backbone or the run whose weights are taken."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE
from cnncore.config import TrainConfig
from cnncore.config.transfer import transfer_base, transfer_from_run
from cnncore.errors import LabError, lookup
from cnncore.images.image_set import ImageSet
from cnncore.images.store import open_sets
from cnncore.runs.run import Run
from cnncore.runs.stored_config import stored_config
from pages.components.lab import data_root, store
from pages.components.size_card import stored_shape
from pages.components.transfer_link import param


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An image set and where the weights come from.

    Attributes:
        image_set: The set at its newest version.
        title: What the weights are called.
        base: The recommended training.
    """

    image_set: ImageSet
    title: str
    base: TrainConfig


def read_subject() -> Subject:
    """What the link names.

    Raises:
        LabError: if the set, the backbone or the run does not exist, or has no use here.
    """
    image_set = open_set(param("set"))
    if param("from"):
        run = store().get(param("from"))
        return Subject(image_set=image_set, title=run.name, base=base_of_run(run, image_set.reference))
    key = param("backbone") or DEFAULT_BACKBONE
    spec = lookup(BACKBONES, key, "backbone", "backbone")
    return Subject(image_set=image_set, title=spec.title, base=transfer_base(key, image_set.reference))


def open_set(reference: str) -> ImageSet:
    """The newest version of a set that a link names, by its id or id@version.

    Raises:
        LabError: if there is none, or it was deleted.
    """
    sets, set_id = open_sets(data_root()), reference.partition("@")[0]
    if sets.card(set_id).deleted is not None:
        raise LabError("This image set was deleted.", "Restore it, or choose another one, in the step Images.")
    return sets.get(set_id)


def base_of_run(run: Run, reference: str) -> TrainConfig:
    """The recommended training of an image set with a run's weights.

    Raises:
        LabError: if the run's settings are of another version of the lab, or its network sees gray images.
    """
    config = stored_config(run)
    return transfer_from_run(config, run.id, stored_shape(config), reference)


def sample_picture(image_set: ImageSet) -> str:
    """The set's first training image as HTML; empty where there is none."""
    records = image_set.included("train") or image_set.included()
    if not records:
        return ""
    try:
        content = open_sets(data_root()).thumbnail(image_set.id, records[0])
    except LabError:
        return ""
    return f"<img alt='' src='data:image/jpeg;base64,{base64.b64encode(content).decode()}'>"
