"""Learn: the ideas behind the networks, one figure each, by touching them."""

from __future__ import annotations

import streamlit as st

from pages.components.learn_arrival import begin_at_top
from pages.components.learn_lesson import draw_lesson, is_answered
from pages.components.learn_link import draw_share, hidden, lesson_asked, open_lesson, warn_of_hidden
from pages.components.learn_print import draw_print
from pages.components.learn_rail import draw_rail
from pages.components.navigation import guard

guard()
title = st.container(key="learn_top", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
lesson, left_out = lesson_asked(), hidden()
warn_of_hidden()
with title:
    st.title("Learn", anchor=False, width="content")
    with st.container(horizontal=True, wrap=False, width="content", vertical_alignment="center", gap="small"):
        draw_share(lesson)
        draw_print()
        begin_at_top(lesson)
if "contents" in left_out:
    draw_lesson(lesson, left_out)
else:
    rail, body = st.columns([1, 3.6], gap="medium")
    with rail, st.container(key="learn_rail_column"):
        draw_rail(lesson, answered=is_answered(lesson), on_choose=open_lesson)
    with body:
        draw_lesson(lesson, left_out)
