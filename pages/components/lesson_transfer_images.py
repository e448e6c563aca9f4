"""The images that the lesson on transfer measures with: those of the link, or the first ones at hand."""

from __future__ import annotations

from dataclasses import dataclass

from cnncore.catalog import at_hand
from cnncore.catalog.datasets import DATASETS
from cnncore.images.picture_reference import parse_images
from pages.components.lab import data_root
from pages.components.transfer_images_choice import image_set_choices

_DATASETS = ("cifar10", "fashion_mnist", "mnist5k")
"""Small data sets, those that look most like photographs first; the last one comes with the lab."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images by `parse_images`, and what they are called."""

    name: str
    title: str

    @property
    def request(self) -> dict[str, str]:
        """As questions have them."""
        return {"images": self.name}


def image_choices() -> dict[str, str]:
    """Titles of the images at hand, by name."""
    here = {f"data:{key}": DATASETS[key].title for key in _DATASETS if at_hand(key, data_root())}
    return here | {f"set:{reference}": title for reference, title in image_set_choices().items()}


def images_named(name: str) -> Images:
    """The images of the link; the first ones at hand where it names none.

    Raises:
        ConfigError: where the name is none.
    """
    here = image_choices()
    name = name or next(iter(here))
    return Images(name=str(parse_images(name)), title=here.get(name, name))
