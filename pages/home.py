"""Home: the quickest start, the ways into the lab, recent runs, what this machine has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from cnncore.config import preset
from cnncore.lessons.contents import LESSONS
from pages.components.clicks import clicked
from pages.components.inspect_link import ICON
from pages.components.lab import start_run
from pages.components.machine_card import draw_machine
from pages.components.navigation import COMPARE, INSPECTOR, LEARN, TRAIN, TRANSFER, guard, open_run
from pages.components.pictures import draw_digits, draw_freezing, draw_networks, draw_sizes
from pages.components.run_list import recent_runs
from pages.components.waiting import fill_in

QUICK_PRESET, NUM_RECENT = "lenet_20s", 6


@dataclass(frozen=True, kw_only=True)
class Start:
    """One of the large ways into the lab; `picture` draws what one will meet there."""

    page: str
    title: str
    text: str
    icon: str
    action: str
    picture: Callable[[], None]


STARTS = (
    Start(
        page=TRAIN,
        title="Train a network",
        text="Take one of the classics, give it digits, clothes, small photographs or a folder of your own, and change "
        "whatever you like. Every setting has a sensible start.",
        icon=":material/model_training:",
        action="Choose network and data",
        picture=draw_networks,
    ),
    Start(
        page=COMPARE,
        title="Compare architectures",
        text="How large VGG-16 really is, where its parameters sit, what it costs and how good it is: every classic "
        "network with exact, sourced numbers, beside your own runs.",
        icon=":material/compare_arrows:",
        action="Open the comparison",
        picture=draw_sizes,
    ),
    Start(
        page=TRANSFER,
        title="Use my own photos",
        text="Forty photographs of two kinds of thing are enough: a network that has seen a million pictures learns to "
        "tell yours apart, and you can take it away.",
        icon=":material/photo_library:",
        action="Bring my photos",
        picture=draw_freezing,
    ),
)
WAYS = {
    LEARN: (
        "Open the lessons",
        f"**:material/school: Learn by touching.** {len(LESSONS)} lessons: a figure to play with, a task, an answer.",
    ),
    INSPECTOR: (
        "Open the Inspector",
        f"**{ICON} Look inside a network.** Draw a digit or show it a picture: what each layer sees of it, why the "
        "network says what it says, where it fails.",
    ),
}
"""Further pages: the words of the link, and what one does there."""


def draw_quick_start() -> None:
    with st.container(border=True, height="stretch"):
        st.subheader(":material/timer: LeNet in 20 seconds", anchor=False)
        st.markdown("A small network learns to read 5,000 handwritten digits as you watch. No download, no settings.")
        fill_in("digits", draw_digits)
        st.space("stretch")
        if clicked("Start training", key="home_quick_start", type="primary", icon=":material/play_arrow:"):
            open_run(start_run(preset(QUICK_PRESET)))


def draw_start(start: Start) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader(f"{start.icon} {start.title}", anchor=False)
        st.markdown(start.text)
        start.picture()
        st.space("stretch")
        if clicked(start.action, key=f"home_start_{start.page}", icon=":material/arrow_forward:"):
            st.switch_page(start.page)


guard()
if "run" in st.query_params:
    # A run is reached by `?run=ID` at any address of the lab, also at the bare one that people shorten links to.
    st.switch_page(TRAIN, query_params={"run": st.query_params["run"]})
st.title("CNN Lab", anchor=False)
st.markdown("Train the classic convolutional networks, watch them learn, and see what every choice does.")
with st.grid(1 + len(STARTS), min_column_width=280, gap="small"):
    draw_quick_start()
    for each in STARTS:
        draw_start(each)
for target, (label, text) in WAYS.items():
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(text)
        st.page_link(target, label=label, icon=":material/arrow_forward:")
runs, machine = st.columns([2, 1], gap="medium")
with runs:
    st.subheader("Recent runs", anchor=False)
    recent_runs(NUM_RECENT)
with machine:
    st.subheader("This machine", anchor=False)
    fill_in("machine", draw_machine)
