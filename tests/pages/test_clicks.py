"""A click is heard once, also where the page is drawn anew before it comes to the button."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import clicks


def draw() -> None:
    import streamlit as st

    from pages.components.clicks import clicked, submitted

    if "instead" in st.session_state:
        st.session_state["about"] = st.session_state.pop("instead")
        st.rerun()
    if clicked("Go", key="go", about=st.session_state["about"]):
        st.session_state["went"] += 1
    with st.form("form"):
        text = st.text_input("Text", key="text")
        if submitted("Send", key="send", about=st.session_state["about"]):
            st.session_state["sent"] = text


def drawn() -> AppTest:
    app = AppTest.from_function(draw, default_timeout=30)
    app.session_state["about"] = "one run"
    app.session_state["went"] = 0
    return app.run()


def test_a_click_counts_once() -> None:
    app = drawn()
    app.button("go").click().run()
    assert app.session_state["went"] == 1
    assert app.run().session_state["went"] == 1


@pytest.mark.parametrize(("about", "heard"), [("one run", 1), ("another run", 0)])
def test_a_click_waits_for_the_next_drawing_about_the_same(about: str, heard: int) -> None:
    app = drawn()
    app.session_state["instead"] = about
    app.button("go").click().run()
    assert app.session_state["went"] == heard
    assert app.run().session_state["went"] == heard


@pytest.mark.parametrize(("about", "sent"), [("one run", "words"), ("another run", "")])
def test_a_form_is_sent_by_the_next_drawing_about_the_same(about: str, sent: str) -> None:
    app = drawn()
    app.session_state["sent"] = ""
    app.session_state["instead"] = about
    app.text_input("text").set_value("words")
    app.button("send").click().run()
    assert app.session_state["sent"] == sent
    app.session_state["sent"] = ""
    assert app.run().session_state["sent"] == "", "once"


def test_a_click_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    app = drawn()
    monkeypatch.setattr(clicks, "_FRESH_S", 0.0)
    app.button("go").click().run()
    assert app.session_state["went"] == 0
