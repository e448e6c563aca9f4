"""The page around a report: style, plotly.js and the script that draws the charts, all within one file.

Nothing is loaded from anywhere: a content security policy forbids it and lets only the scripts run whose hashes it
names, so that no text of a run can become one.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json

from cnncore.figures.chart import GRID, INK, PAPER
from cnncore.figures.plotly_js import plotly_js_file

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --paper: #ffffff; --raised: #f6f8fa;
  --accent: #3B82F6; --st-border-color: var(--line); }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4b0; --line: #3a424c; --paper: #0f1319;
  --raised: #181d25; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 2.5rem) 4rem; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.3rem); line-height: 1.2; margin: .2rem 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .8rem; line-height: 1.3; }
h3 { font-size: 1.1rem; margin: 1.8rem 0 .6rem; }
h4 { font-size: .95rem; margin: 1.2rem 0 .4rem; }
.kicker { color: var(--soft); font-size: .85rem; letter-spacing: .04em; text-transform: uppercase; }
.soft, footer { color: var(--soft); font-size: .92rem; }
p { margin: .4rem 0; }
ul { margin: .4rem 0; padding-left: 1.2rem; }
li { margin: .25rem 0; }
article { border-top: 2px solid var(--line); margin-top: 3rem; }
article > h2 { margin-top: 1.6rem; margin-bottom: .3rem; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(145px, 1fr)); gap: .75rem; margin: 1.4rem 0; }
.tile { border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; font-variant-numeric: tabular-nums; }
.tile .label { color: var(--soft); font-size: .85rem; }
.tile .value { font-size: 1.35rem; font-weight: 600; line-height: 1.4; }
.tile .note { color: var(--soft); font-size: .8rem; line-height: 1.35; }
.tile.main { background: var(--raised); grid-column: span 2; }
.tile.main .value { font-size: 2rem; line-height: 1.25; }
.scroll { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; min-width: 50%; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal; }
td { max-width: 22rem; }
td:first-child { min-width: 8rem; }
td.number:first-child { min-width: 0; }
td:not(.number) { overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 500; vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; }
.swatch { vertical-align: middle; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .88rem; margin-bottom: .6rem; }
.best { color: #E07B00; } .changed { color: var(--accent); font-size: .7em; vertical-align: middle; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem;
  white-space: pre-wrap; font-size: .85rem; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); margin: .6rem 0; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.2rem; }
.charts .cell h4 { min-height: 1.5em; }
figure.chart { margin: 0; width: 100%; overflow: hidden; }
@media (min-width: 641px) { .lab-examples { grid-template-columns: repeat(6, minmax(0, 1fr)) !important; } }
@media (max-width: 760px) {
  .charts { grid-template-columns: minmax(0, 1fr); }
  main { padding-top: 1.4rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
body.printing main { width: 690px; max-width: none; margin: 0; padding: 0; }
body.printing .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .8rem; }
@media print {
  :root { color-scheme: light; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --paper: #ffffff; --raised: #f6f8fa; }
  @page { size: A4; margin: 14mm 13mm; }
  body { font-size: 13px; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .scroll { overflow: visible; }
  table { font-size: 10.5px; min-width: 0; }
  th, td { padding-right: .55rem; }
  .cell, .tile, tr, figure, pre { break-inside: avoid; }
  h2, h3, h4, summary { break-after: avoid; }
  article { break-before: page; border: 0; }
  .lab-examples { grid-template-columns: repeat(6, minmax(0, 1fr)) !important; }
}
"""

_SCRIPT = """
const LIGHT = { ink: '#1f2328', grid: '#d1d9e0', paper: '#ffffff' };
const DARK = { ink: '#e6edf3', grid: '#3a424c', paper: '#181d25' };
const dark = matchMedia('(prefers-color-scheme: dark)');
const figures = [...document.querySelectorAll('figure.chart')].map((node) => {
  const text = node.querySelector('script').textContent;
  const plot = document.createElement('div');
  plot.style.height = '100%';
  node.append(plot);
  return { text, plot };
});
let printing = false;

function axis(own, colors) {
  return { gridcolor: colors.grid, linecolor: colors.grid, zeroline: false, automargin: true, ...own,
           title: { ...own?.title, font: { size: 12, color: colors.ink } } };
}

function draw({ text, plot }) {
  const colors = !printing && dark.matches ? DARK : LIGHT;
  for (const [name, color] of [['INK', colors.ink], ['GRID', colors.grid], ['PAPER', colors.paper]]) {
    text = text.replaceAll(name, color);
  }
  const { traces, layout, height } = JSON.parse(text);
  const axes = {};
  for (const key of Object.keys(layout)) if (/^[xy]axis/.test(key)) axes[key] = axis(layout[key], colors);
  const font = { color: colors.ink, size: 12, family: getComputedStyle(document.body).fontFamily };
  return Plotly.react(plot, traces, {
    width: plot.clientWidth, height, font, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    margin: { l: 52, r: 12, t: 40, b: 40 },
    legend: { orientation: 'h', x: 1, xanchor: 'right', y: 1.02, yanchor: 'bottom' },
    hoverlabel: { bgcolor: colors.paper, bordercolor: colors.grid, font },
    // A finger should scroll the page, not draw a zoom box.
    dragmode: matchMedia('(pointer: coarse)').matches ? false : 'zoom',
    ...layout, ...axes,
  }, { displayModeBar: false, doubleClick: 'reset+autosize' });
}

function drawAll() { return Promise.all(figures.map(draw)); }

let opened = [];
addEventListener('beforeprint', () => {
  printing = true;
  opened = [...document.querySelectorAll('details:not([open])')];
  for (const details of opened) details.open = true;
  document.body.classList.add('printing');
  drawAll();
});
addEventListener('afterprint', () => {
  printing = false;
  for (const details of opened) details.open = false;
  document.body.classList.remove('printing');
  drawAll();
});
dark.addEventListener('change', drawAll);
let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth !== width && !printing) drawAll();
  width = innerWidth;
});
drawAll().then(() => { document.documentElement.dataset.drawn = figures.length; });
"""


def html_page(title: str, body: str, *, charts: bool) -> str:
    """A whole HTML file.

    Args:
        title: Title of the window, plain text.
        body: HTML of the page.
        charts: Whether there are any, so that plotly.js is needed.
    """
    script = _SCRIPT
    for name, token in (("INK", INK), ("GRID", GRID), ("PAPER", PAPER)):
        script = script.replace(f"'{name}'", json.dumps(token))
    scripts = [plotly_js_file().read_text(encoding="utf-8"), script] if charts else []
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in scripts) or "'none'"
    policy = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    noscript = "<noscript><p><b>The charts need JavaScript; the tables hold the same numbers.</b></p></noscript>"
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<link rel='icon' href='data:,'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"{body}{noscript if charts else ''}</main>{''.join(f'<script>{text}</script>' for text in scripts)}"
        "</body></html>\n"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
