"""The app's frame: `streamlit run app.py`. Everything else is in pages/ (widgets) and cnncore (the library)."""

import streamlit as st

from pages.components.lab import shown_errors
from pages.components.navigation import current_page
from pages.components.plotly_js import plotly_js
from pages.components.style import apply_style

st.set_page_config(page_title="CNN Lab", page_icon=":material/grid_view:", layout="wide")
page = current_page()
apply_style()
with shown_errors():
    plotly_js()
with shown_errors():
    page.run()
