"""A chart that is redrawn in place: new points every second, while zoom, legend and scroll position stay.

st.plotly_chart makes a new chart whenever the data change; this component calls Plotly.react on the same node.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.errors import LabError
from cnncore.figures.chart import GRID, INK, PAPER, Chart
from pages.components.plotly_js import plotly_js

_HTML = "<div class='lab-chart' role='img'><div class='lab-chart-plot'></div><p class='lab-chart-note'></p></div>"

_CSS = """
.lab-chart { position: relative; width: 100%; }
.lab-chart-plot { width: 100%; height: 100%; }
.lab-chart-note { position: absolute; inset: 0; margin: 0; display: flex; align-items: center; justify-content: center;
  text-align: center; padding: 0 2rem; opacity: .65; pointer-events: none; }
.lab-chart-note:empty { display: none; }
"""

_JS = """
const RETRY_MS = 10000;
const colors = ['--st-text-color', '--st-border-color', '--st-background-color', '--st-secondary-background-color'];

function load(source) {
  window.labPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = source;
    script.onload = () => window.Plotly ? resolve(window.Plotly) : reject();
    script.onerror = () => {
      script.remove();
      setTimeout(() => { window.labPlotly = undefined; }, RETRY_MS);
      reject();
    };
    document.head.appendChild(script);
  });
  return window.labPlotly;
}

function axis(own, ink, grid, shown) {
  return { gridcolor: grid, linecolor: grid, zeroline: false, automargin: true, separatethousands: true,
           visible: shown, ...own,
           title: { ...own?.title, font: { size: 12, color: ink } } };
}

function draw(root, Plotly) {
  const style = getComputedStyle(root);
  const [ink, grid, paper, raised] = colors.map((name) => style.getPropertyValue(name).trim());
  let text = root.lab.text;
  for (const [name, color] of [['INK', ink], ['GRID', grid], ['PAPER', paper]]) text = text.replaceAll(name, color);
  const { traces, layout, height, empty, label, clickable } = JSON.parse(text);
  root.style.height = height + 'px';
  root.setAttribute('aria-label', label);
  const shown = traces.length > 0;
  root.querySelector('.lab-chart-note').textContent = shown ? '' : empty;
  const axes = {};
  for (const key of Object.keys(layout)) if (/^[xy]axis/.test(key)) axes[key] = axis(layout[key], ink, grid, shown);
  const font = { color: ink, family: style.getPropertyValue('--st-font').trim(), size: 12 };
  const plot = root.querySelector('.lab-chart-plot');
  return Plotly.react(plot, traces, {
    height, font, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    margin: { l: 52, r: 12, t: 40, b: 40 },
    legend: { orientation: 'h', x: 1, xanchor: 'right', y: 1.02, yanchor: 'bottom' },
    hoverlabel: { bgcolor: raised || paper, bordercolor: grid, font },
    // A finger should scroll the page, not draw a zoom box.
    dragmode: matchMedia('(pointer: coarse)').matches ? false : 'zoom',
    ...layout, ...axes,
  }, { displayModeBar: false, doubleClick: 'reset+autosize' }).then(() => {
    if (clickable && root.lab && !root.lab.listens) {
      root.lab.listens = true;
      plot.on('plotly_click', ({ points: [point] }) => root.lab?.clicked([point.x, point.y]));
    }
    plot.dispatchEvent(new CustomEvent('lab-drawn', { bubbles: true }));
  });
}

function redraw(root) {
  load(root.lab.source).then((Plotly) => { if (root.isConnected) return draw(root, Plotly); }, () => {
    root.querySelector('.lab-chart-note').textContent =
      'This chart cannot be drawn because plotly.js could not be loaded; reload the page to try again.';
  });
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-chart');
  const text = new TextDecoder().decode(component.data);
  if (!root.lab) {
    root.lab = { source: 'SOURCE' };
    root.style.height = JSON.parse(text).height + 'px';
    let width = 0;
    const resized = new ResizeObserver(() => {
      const plot = root.querySelector('.js-plotly-plot');
      if (plot && plot.offsetWidth && plot.offsetWidth !== width) {
        width = plot.offsetWidth;
        window.Plotly.Plots.resize(plot);
      }
    });
    resized.observe(root);
    // Light and dark may be switched without new data.
    const themed = setInterval(() => {
      const now = colors.map((name) => getComputedStyle(root).getPropertyValue(name)).join();
      if (root.lab.theme !== undefined && root.lab.theme !== now) redraw(root);
      root.lab.theme = now;
    }, 1000);
    root.lab.end = () => { resized.disconnect(); clearInterval(themed); };
  }
  root.lab.clicked = (place) => component.setTriggerValue('clicked', place);
  if (root.lab.text !== text) {
    root.lab.text = text;
    const { signal } = JSON.parse(text);
    if (root.lab.signal !== undefined && root.lab.signal !== signal) component.setTriggerValue('signal', signal);
    root.lab.signal = signal;
    redraw(root);
  }
  return () => { root.lab?.end(); root.lab = undefined;
                 window.Plotly?.purge(root.querySelector('.lab-chart-plot')); };
}
"""


def _ignore() -> None:
    pass


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    js = _JS.replace("SOURCE", plotly_js())
    for name, token in (("INK", INK), ("GRID", GRID), ("PAPER", PAPER)):
        js = js.replace(f"'{name}'", json.dumps(token))
    return component("lab_live_chart", html=_HTML, css=_CSS, js=js, isolate_styles=False)


def live_chart(chart: bytes, height: int, *, key: str, on_signal: Callable[[], None] = _ignore) -> None:
    """Show a chart that keeps its zoom as long as `key` stays the same.

    Args:
        chart: What `Chart.to_bytes()` gave.
        height: Its height in pixels.
        key: Its name on the page.
        on_signal: Called when the chart's `signal` has changed since the browser last drew it.
    """
    try:
        draw = _component()
    except LabError as error:
        st.caption(str(error))
        return
    draw(key=key, data=chart, height=height, on_signal_change=on_signal)


def still_chart(chart: Chart, *, key: str) -> None:
    """Show a chart that seldom changes."""
    live_chart(chart.to_bytes(), chart.height, key=key)


def clickable_chart(chart: Chart, *, key: str, on_click: Callable[[float, float], None]) -> None:
    """Show a chart that seldom changes and calls back with the place, in the axes' units, that was clicked."""

    def clicked() -> None:
        place = st.session_state[key].get("clicked")
        if isinstance(place, list) and len(place) == 2 and all(isinstance(each, int | float) for each in place):
            on_click(*place)

    try:
        draw = _component()
    except LabError as error:
        st.caption(str(error))
        return
    content = replace(chart, clickable=True).to_bytes()
    draw(key=key, data=content, height=chart.height, on_clicked_change=clicked)
