"""How an image set is divided into training, validation and test: the shares, the seed, what would come out."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from cnncore.figures.image_set import PARTS
from cnncore.images.division import divide
from cnncore.images.edits import Divide
from cnncore.images.image_set import SPLITS, Division, ImageSet
from pages.components.transfer_images_edits import change

_MOST_SEED = 2**31 - 1


def draw_division(image_set: ImageSet) -> None:
    """The shares with the counts they lead to, and the button that divides anew."""
    old = image_set.division
    with st.expander(
        "Division", icon=":material/call_split:", key="transfer_images_division", on_change="rerun"
    ) as fold:
        if not fold.open:
            return
        st.caption(
            "Validation images judge each epoch, test images are looked at once, at the end. Near duplicates always "
            "stay together, and every class is divided alike."
        )
        with st.grid(3, min_column_width=90, gap="small", vertical_alignment="bottom"):
            validation = _percent(
                "Validation %", f"validation_{image_set.reference}", old.validation, "Share of the images, 0 to 50."
            )
            test = _percent("Test %", f"test_{image_set.reference}", old.test, "Share of the images, 0 to 50.")
            seed = st.number_input(
                "Seed",
                0,
                _MOST_SEED,
                old.seed,
                key=f"transfer_images_seed_{image_set.reference}",
                help="Another seed draws other images; the same seed always draws the same ones.",
            )
        division = Division(validation=validation / 100, test=test / 100, seed=int(seed))
        st.html(_outcome(image_set, division))
        st.button(
            "Divide anew",
            key="transfer_images_divide",
            on_click=change,
            args=(image_set.id, lambda: Divide(division=division)),
            help="Also takes back what was moved to another split by hand.",
        )


def _percent(label: str, name: str, share: float, why: str) -> int:
    return int(st.number_input(label, 0, 50, round(100 * share), 5, key=f"transfer_images_{name}", help=why))


def _outcome(image_set: ImageSet, division: Division) -> str:
    now = Counter(record.split for record in image_set.included())
    then = _divided(image_set, image_set.id, image_set.version, division)
    rows = "".join(
        f"<tr><td>{PARTS[split].capitalize()}</td><td>{now[split]:,} → <b>{then.get(split, 0):,}</b></td></tr>"
        for split in SPLITS
    )
    return f"<table class='lab-rows'>{rows}</table>"


@st.cache_data(max_entries=100, show_spinner=False)
def _divided(_image_set: ImageSet, set_id: str, version: int, division: Division) -> dict[str, int]:
    """How many of the images that are not excluded would be where."""
    places = divide(tuple(_image_set.images.values()), division)
    return dict(Counter(places[record.key] for record in _image_set.included()))
