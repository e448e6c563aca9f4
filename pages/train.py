"""Train: the form with what it means beside it; with `?run=ID` the run instead."""

from __future__ import annotations

import streamlit as st

from cnncore.config import command
from pages.components.clicks import clicked
from pages.components.config_form import draw_form, show_notices
from pages.components.form_state import NOTICES, Form, read_form, write_address
from pages.components.import_weights import draw_import
from pages.components.lab import start_run
from pages.components.last_settings import ask_for_last, draw_last, follow_form, keep_started, talk_to_browser
from pages.components.links import address, link_params
from pages.components.machine_card import device_names
from pages.components.navigation import guard, open_run
from pages.components.outlook import draw_outlook
from pages.components.run_view import show_run
from pages.components.waiting import fill_in


def draw_share(form: Form) -> None:
    with st.popover("Copy link", icon=":material/link:", type="tertiary"):
        st.caption("Opens this page with these settings; it starts nothing.")
        st.code(address(st.context.url or "", link_params(form.config, form.preset)), language=None, wrap_lines=True)
        st.caption("The same on the command line:")
        st.code(command(form.config, form.preset), language="bash", wrap_lines=True)


def draw_start(form: Form) -> None:
    with st.container(key="train_start"):
        pressed = clicked(
            "Train",
            key="train_button",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=bool(form.errors),
            help="Something in the form is not possible yet; the reason stands there." if form.errors else None,
        )
    if pressed:
        keep_started(form)
        open_run(start_run(form.config))


def show_form() -> None:
    asks = ask_for_last()
    form = read_form()
    follow_form(form)
    talk_to_browser(asks=asks)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Train", anchor=False, width="content")
        with st.container(horizontal=True, width="content"):
            draw_import(form.config)
            draw_share(form)
    draw_last()
    show_notices(st.session_state.get(NOTICES, ()))
    left, right = st.columns([1, 2], gap="medium")
    with left:
        draw_form(form, device_names())
    with right, st.container(key="train_side"):
        with st.container(key="train_outlook"):
            fill_in("outlook", lambda: draw_outlook(form.config))
        draw_start(form)
    if not asks:
        write_address(form)


def leave_run() -> None:
    st.query_params.clear()


guard()
if run_id := st.query_params.get("run"):
    talk_to_browser(asks=False)
    st.button("New training", key="train_new", icon=":material/arrow_back:", type="tertiary", on_click=leave_run)
    show_run(run_id)
else:
    show_form()
