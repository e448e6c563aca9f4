"""Transfer: from one's own images to a classifier one can take away, in four steps that can be revisited."""

from __future__ import annotations

import streamlit as st

from pages.components.navigation import guard
from pages.components.transfer_steps import STEPS, draw_steps

guard()
st.title("Transfer", anchor=False)
STEPS[draw_steps()].show()
