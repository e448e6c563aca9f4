"""What the classic networks were fed: the data sets with their sizes, and some of their images to take apart."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image

from cnncore.catalog import DATASETS, MODELS, at_hand
from cnncore.catalog.imagenet import NUM_TEST, NUM_TRAIN, NUM_VALIDATION, imagenet_classes
from cnncore.errors import LabError
from cnncore.images.drawing import SIDE, drawing_text
from cnncore.images.kept_pictures import keep_picture
from cnncore.images.picture_reference import PictureReference
from pages.components.lab import artifacts, data_root, show_problem
from pages.components.lesson_state import LessonState, change_state, hide_asked
from pages.components.picture_choice import Choice, choose_picture_of
from pages.components.transfer_use_answers import data_url
from pages.components.waiting import fill_in, inquire
from pages.components.wording import bytes_text

_EACH = 10
"""Images of a data set."""
_NAMED = 4
"""Classes of ImageNet that are named."""


def show_classics(model: type[LessonState]) -> None:
    """Draw the data sets; an image that is tapped becomes the lesson's picture, pixel by pixel.

    Args:
        model: Of the lesson; its field `picture` takes the reference, `side` the pixels along a side.
    """
    st.markdown("**What the classics were fed**")
    with st.grid(3, min_column_width=250, gap="medium"):
        for key, networks in (("mnist", "LeNet"), ("cifar10", "the small ResNets")):
            with st.container():
                _describe(key, networks)
                fill_in(f"learn_{key}", _samples(key, model))
        with st.container():
            _describe_imagenet()
    with st.container(key="learn_controls_classics"):
        st.caption("Tap an image to take it apart above.")


def shape_words(channels: int, side: int) -> str:
    """The size of an image, and how many numbers that is."""
    kind = "1 channel" if channels == 1 else f"{channels} channels"
    return f"{side} × {side} pixels, {kind}: {channels * side**2:,} numbers"


def _describe(key: str, networks: str) -> None:
    spec = DATASETS[key]
    _facts(
        f"{spec.title}, for {networks}",
        shape_words(spec.in_shape[0], spec.in_shape[1]),
        f"{len(spec.classes)} classes: {', '.join(spec.classes)}",
        f"{spec.num_train:,} images to train with, {spec.num_test:,} to test",
        f"all of it as whole numbers: {bytes_text((spec.num_train + spec.num_test) * math.prod(spec.in_shape))}",
    )


def _describe_imagenet() -> None:
    classes = imagenet_classes()
    some = [classes[place] for place in range(0, len(classes), len(classes) // _NAMED)]
    side = MODELS["vgg16"].native_size
    _facts(
        "ImageNet, for AlexNet, VGG, GoogLeNet and the large ResNets",
        f"photographs of every size, cut to {shape_words(3, side)}",
        f"{len(classes):,} classes: {', '.join(some)}, …",
        f"{NUM_TRAIN:,} images to train with, {NUM_VALIDATION:,} to validate, {NUM_TEST:,} to test",
        f"all of it, cut so: {bytes_text((NUM_TRAIN + NUM_VALIDATION + NUM_TEST) * 3 * side**2)}",
    )
    st.caption(
        "Its images are for non-commercial research and education, so none come with the lab. The Train page takes "
        "a copy of your own as a folder."
    )


def _facts(title: str, *lines: str) -> None:
    st.markdown("\n".join((f"**{title}**\n", *(f"- {line[0].upper()}{line[1:]}" for line in lines))))


def _samples(key: str, model: type[LessonState]) -> Callable[[], None]:
    def draw() -> None:
        built_in = key == "mnist" and not at_hand(key, data_root())
        source = "mnist5k" if built_in else key
        if not at_hand(source, data_root()):
            size = bytes_text(sum(file.num_bytes for file in DATASETS[key].files))
            st.caption(
                f"Its images are not on this machine. The Train page downloads them ({size}) when a training on "
                f"{DATASETS[key].title} starts; then some of them are shown here."
            )
            return
        reply = inquire(f"learn_{key}", "samples", {"data": {"dataset": source}, "max_images": _EACH})
        if reply.error is not None:
            show_problem(reply.error)
            return
        images = reply.answer.arrays.get("images") if reply.answer else None
        if images is None:
            with st.container(height=150, border=False):
                st.caption("Opening some of its images…")
            return
        classes = [DATASETS[key].classes[label] for label in reply.answer.data["labels"]] if reply.answer else []
        _strip(key, images, classes, model)

    return draw


def _strip(key: str, images: np.ndarray, classes: list[str], model: type[LessonState]) -> None:
    title = DATASETS[key].title
    choices = [
        Choice(name=str(place), source=data_url(image), label=name, words=f"{title}: {name}")
        for place, (image, name) in enumerate(zip(images, classes, strict=True))
    ]
    picked = choose_picture_of(choices, "", key=f"learn_strip_{key}", label=f"Images of {title}")
    if picked is None or "controls" in hide_asked():
        return
    try:
        reference = own_reference(images[int(picked)])
    except LabError as error:
        show_problem(error)
        return
    change_state(model, picture=reference, side=len(images[int(picked)]))
    st.rerun()


def own_reference(pixels: np.ndarray) -> str:
    """An image of a data set, uint8 (H, W, C), as a picture of one's own: the link then needs no data set.

    Raises:
        DataError: where it cannot be stored.
    """
    if pixels.shape == (SIDE, SIDE, 1):
        return str(PictureReference(kind="drawn", source=drawing_text(pixels[..., 0])))
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(stream, format="PNG")
    kept = keep_picture(artifacts(), stream.getvalue(), "of the data set")
    return str(PictureReference(kind="kept", source=kept))
