"""What the link says is trained on what: the image set, and the backbone or the run whose weights are taken."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE
from cnncore.config import TrainConfig, transfer_base, transfer_from_run
from cnncore.errors import LabError, lookup
from cnncore.images.image_set import ImageSet
from cnncore.images.store import open_sets
from pages.components.lab import data_root, store
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
    image_set = open_sets(data_root()).get(param("set").partition("@")[0])
    if param("from"):
        run = store().get(param("from"))
        return Subject(image_set=image_set, title=run.name, base=transfer_from_run(run, image_set.reference))
    key = param("backbone") or DEFAULT_BACKBONE
    spec = lookup(BACKBONES, key, "backbone", "backbone")
    return Subject(image_set=image_set, title=spec.title, base=transfer_base(key, image_set.reference))


def sample_picture(image_set: ImageSet) -> str:
    """The set's first training image as HTML; empty where there is none."""
    records = image_set.included("train") or image_set.included()
    if not records:
        return ""
    try:
        content = open_sets(data_root()).thumbnail(image_set.id, records[0])
    except LabError:
        return ""
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"<img alt='' src='data:image/{kind};base64,{base64.b64encode(content).decode()}'>"
