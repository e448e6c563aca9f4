"""Inspector: what a trained network sees, why it says what it says, and where it fails."""

from __future__ import annotations

import streamlit as st

from pages.components.inspector_link import draw_share
from pages.components.inspector_network import choose_network
from pages.components.inspector_picture import choose_picture
from pages.components.inspector_prediction import show_prediction
from pages.components.inspector_views import choose_view, show_view
from pages.components.lab import shown_errors
from pages.components.navigation import guard

guard()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.title("Inspector", anchor=False, width="content")
    share = st.container(width="content")
left, right = st.columns([1, 2.2], gap="medium")
with left, st.container(key="inspector_side"):
    look = choose_network()
    if look is not None:
        look = choose_picture(look)
if look is not None:
    with right:
        with shown_errors():
            show_prediction(look)
        view = choose_view()
        with shown_errors():
            show_view(view, look)
    with share:
        draw_share(look)
