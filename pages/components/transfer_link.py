"""What a link to the Transfer page says: `?step=…&set=ID&backbone=KEY&from=RUN&run=ID`, and dotted settings on top.

The step Use it adds `view`, and what is looked at there: `split`, `cell`, `image`.
"""

from __future__ import annotations

import streamlit as st

PARAMS = ("step", "set", "backbone", "from", "run", "view", "split", "cell", "image")


def param(name: str) -> str:
    """A parameter of the address; empty where it is missing."""
    return str(st.query_params.get(name, ""))


def change_link(**values: str) -> None:
    """Change parameters of the address; an empty value removes one."""
    for name, value in values.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def go_to(step: str, **values: str) -> None:
    """Callback of buttons that lead to another step."""
    change_link(step=step, **values)
