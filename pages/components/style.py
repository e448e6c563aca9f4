"""The few rules Streamlit's theme cannot express: the capped width, tabular figures, cards and the fixed start bar."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
.stMainBlockContainer { max-width: 1400px; margin-inline: auto; padding-inline: clamp(1rem, 3vw, 2.5rem); }
[data-testid="stMetricValue"], [data-testid="stTable"], .lab-numbers { font-variant-numeric: tabular-nums; }
[data-testid="stMetricLabel"] { opacity: .75; }
.lab-note { color: color-mix(in srgb, currentColor 68%, transparent); font-size: .9rem; line-height: 1.45; }
.lab-rows { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
.lab-rows td { padding: .3rem 0; border: 0; border-bottom: 1px solid rgba(128,128,128,.25); }
.lab-rows tr:last-child td { border-bottom: 0; }
.lab-rows td:first-child { color: color-mix(in srgb, currentColor 68%, transparent); padding-right: 1rem; }
.lab-rows td:last-child { text-align: right; }
.lab-strip { display: grid; grid-template-columns: repeat(10, minmax(0, 1fr)); gap: .4rem; max-width: 44rem; }
.lab-strips .lab-strip { margin-bottom: .4rem; }
.lab-empty { border: 1px dashed rgba(128,128,128,.4); border-radius: .5rem;
  padding: 1.6rem 1rem; text-align: center; font-size: .9rem; opacity: .8; }
.lab-strip figure { margin: 0; min-width: 0; }
.lab-strip img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 5px; image-rendering: pixelated;
  display: block; }
.lab-strip figcaption { font-size: .68rem; line-height: 1.5; opacity: .75; text-align: center; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
.lab-chips { display: flex; flex-wrap: wrap; gap: .4rem; }
.lab-chip { display: inline-flex; align-items: center; gap: .4rem; padding: .15rem .6rem; border-radius: 1rem;
  border: 1px solid rgba(128,128,128,.3); font-size: .82rem; }
.lab-chip i { width: .55rem; height: .55rem; border-radius: 50%; }
.lab-chip small { opacity: .65; font-variant-numeric: tabular-nums; }
.lab-facts, .lab-caution { font-size: .95rem; line-height: 1.5; margin-bottom: .6rem; }
.lab-facts ul, .lab-caution ul { margin: .2rem 0 0; padding-left: 1.2rem; }
.lab-caution { border-left: 3px solid #E07B00; padding: .1rem 0 .1rem .8rem; }
.lab-bars { display: grid; grid-template-columns: max-content 1fr; gap: .3rem .8rem; font-size: .82rem; }
.lab-bar { display: flex; align-items: center; gap: .4rem; padding-right: 3.6rem; }
.lab-bar i { height: .6rem; border-radius: 2px; flex: none; }
.lab-bar small { opacity: .7; font-variant-numeric: tabular-nums; white-space: nowrap; }
.lab-freezing { display: flex; align-items: center; gap: .3rem; max-width: 22rem; font-size: .75rem; }
.lab-freezing svg { flex: none; opacity: .75; margin-right: .1rem; }
.lab-freezing i { flex: 1; display: grid; place-items: center; font-style: normal; border-radius: 4px; color: #3B82F6;
  background: rgba(59,130,246,.16); border: 1px solid rgba(59,130,246,.45); }
.lab-freezing em { flex: 1.9; height: 1.5rem; display: grid; place-items: center; font-style: normal;
  border-radius: 4px; color: #E07B00; background: rgba(224,123,0,.14); border: 1px solid rgba(224,123,0,.6); }
.lab-freezing span { flex: 2.6; display: grid; grid-template-columns: auto 1fr; gap: .2rem .35rem; align-items: center;
  margin-left: .3rem; }
.lab-freezing u { height: .55rem; background: #10A37F; border-radius: 2px; }
.lab-strip-photos { grid-template-columns: repeat(6, minmax(0, 1fr)); margin-bottom: .5rem; }
.lab-strip-photos img { image-rendering: auto; }
.lab-blank { aspect-ratio: 1; border-radius: 5px; background: rgba(128,128,128,.14); }
[data-testid="stLayoutWrapper"]:has(> .st-key-transfer_images_next) { position: sticky; bottom: 0; z-index: 9; }
[data-testid="stLayoutWrapper"]:has(> .st-key-transfer_images_actions) { position: sticky; top: 3.6rem; z-index: 8; }
.st-key-transfer_images_actions { background: light-dark(#FFFFFF, #11141B); min-height: 3.6rem;
  justify-content: center; }
.st-key-transfer_images_next { padding: .7rem 0; background: light-dark(#FFFFFF, #11141B);
  border-top: 1px solid rgba(128,128,128,.25); }
.lab-strip-name { font-size: .75rem; opacity: .75; margin: .45rem 0 .2rem; }
@media (max-width: 640px) {
  [class*="st-key-transfer_step_"] :has(> [data-testid="stIconMaterial"]) { display: none; }
  [class*="st-key-transfer_step_"] button { padding-inline: .3rem; white-space: nowrap; }
}
/* Links to runs lead to the page they are on, which Streamlit marks like the chosen page of a menu. */
:is([class*="st-key-queue_"], [class*="st-key-recent_"])
  [data-testid="stPageLink-NavLink"]:not(:hover, :focus-visible) { background: none; }
[class*="st-key-waiting_"] { opacity: .45; transition: opacity .2s .15s; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-alarm_"]) { position: absolute; }
[data-testid="stLayoutWrapper"]:has(> .st-key-train_last_settings_box) { display: none; }
@keyframes lab-unseen { from, to { opacity: 0; visibility: hidden; } }
html:not([data-lab-last]):has(.lab-asks) :is(.st-key-train_settings, .st-key-train_side) { animation: lab-unseen 8s; }
html[data-lab-last="waits"] :is(.st-key-train_settings, .st-key-train_side) { opacity: 0; visibility: hidden; }
.st-key-train_settings [data-testid="stCaptionContainer"] { margin-top: -.5rem; }

.st-key-train_outlook h2 { padding-top: 0; }

@media (min-width: 1000px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-train_side) { position: sticky; top: 4.25rem; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-inspector_side) { position: sticky; top: 4.25rem; }
  .st-key-inspector_side { max-height: calc(100vh - 5rem); overflow-y: auto; scrollbar-width: thin; }
  .st-key-train_outlook { max-height: calc(100vh - 14.5rem); overflow-y: auto; scrollbar-width: thin; }
}
@media (max-width: 640px) {
  .stMainBlockContainer { padding-bottom: 6.5rem; }
  .st-key-train_start, .st-key-transfer_start { position: fixed; inset: auto 0 0 0; z-index: 99; width: auto;
    padding: .6rem 1rem .8rem; backdrop-filter: blur(14px); border-top: 1px solid rgba(128,128,128,.25); }
}
</style>
"""


def apply_style() -> None:
    """Add the rules to the page; app.py calls it once a run."""
    st.html(_CSS)
