"""A chart with buttons below it that save it as a picture; the browser makes the file from what it shows."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.figures.chart import Chart
from pages.components.live_chart import clickable_chart, still_chart

_HTML = (
    "<div class='lab-chart-files'><button data-format='png'>PNG</button><button data-format='svg'>SVG</button></div>"
)

_CSS = """
.lab-chart-files { display: flex; justify-content: flex-end; gap: .3rem; color: var(--st-text-color); }
.lab-chart-files button { font: .75rem var(--st-font); color: inherit; opacity: .75; background: none; cursor: pointer;
  border: 1px solid transparent; border-radius: .4rem; padding: .15rem .5rem; }
.lab-chart-files button:hover { opacity: 1; border-color: var(--st-border-color, #8884); }
.lab-chart-files button:focus-visible { outline: 2px solid var(--st-primary-color); }
"""

_JS = """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector('.lab-chart-files');
  for (const button of root.querySelectorAll('button')) {
    const format = button.dataset.format;
    button.title = `Save the chart as ${format.toUpperCase()}`;
    button.onclick = () => {
      const plot = root.closest('[class*=_with_files]')?.querySelector('.js-plotly-plot');
      if (!plot?._fullLayout) return;
      const paper = getComputedStyle(root).getPropertyValue('--st-background-color').trim();
      const { width, height } = plot._fullLayout;
      window.Plotly.downloadImage({ data: plot.data, layout: { ...plot.layout, paper_bgcolor: paper } },
                                  { format, filename: data.stem, width, height, scale: 2 });
    };
  }
}
"""


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    return component("lab_chart_files", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


def saved_chart(chart: Chart, *, key: str, stem: str, on_click: Callable[[float, float], None] | None = None) -> None:
    """Show a chart that seldom changes, with buttons that save it.

    Args:
        chart: The chart.
        key: Its name on the page.
        stem: Name of the file, without its ending.
        on_click: Called with the place, in the axes' units, that was clicked.
    """
    with st.container(key=f"{key}_with_files", gap=None):
        if on_click is None:
            still_chart(chart, key=key)
        else:
            clickable_chart(chart, key=key, on_click=on_click)
        _component()(key=f"{key}_files", data={"stem": stem})
