"""What this machine has: processors, memory, a GPU or why it is unusable, number format, data at hand."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnncore.catalog import DATASETS
from pages.components.waiting import Reply, inquire
from pages.components.wording import bytes_text

_MAX_AGE_S = 60.0
_BUILT_IN = tuple(spec.title.partition(",")[0] for spec in DATASETS.values() if spec.built_in)
_PRECISION = {"bf16": "bfloat16, native", "fp32": "float32", "fp16": "float16"}


def machine() -> Reply:
    """The facts of this machine, or that they are on their way."""
    return inquire("machine", "machine", {}, max_age_s=_MAX_AGE_S)


def device_names() -> dict[str, str]:
    """Names of the devices a run can use, by the value `training.device` takes."""
    reply = machine()
    found: list[Mapping[str, Any]] = reply.answer.data["devices"] if reply.answer else []
    return {device["id"]: f"{device['name']} ({device['id']})" for device in found if device["usable"]}


def draw_machine() -> None:
    """The card; it keeps its height until the facts are there."""
    reply = machine()
    with st.container(border=True, key="machine" if reply.answer else "waiting_machine"):
        if reply.error:
            st.caption(f"{reply.error.message} {reply.error.hint}")
        facts = reply.answer.data if reply.answer else {}
        st.html(_table(_rows(facts)))
        if facts.get("unusable_gpu"):
            st.warning(facts["unusable_gpu"], icon=":material/memory:")


def _rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not facts:
        return [(name, "…") for name in ("Processor", "Memory", "GPU", "Arithmetic", "Disk", *_BUILT_IN)]
    memory, disk = facts["memory"], facts["disk"]
    data = [
        (DATASETS[key].title.partition(",")[0], f"at hand, {bytes_text(facts['datasets'][key])}")
        for key in DATASETS
        if key in facts["datasets"]
    ]
    return [
        ("Processor", f"{facts['cpu']}, {facts['cores']} cores"),
        ("Memory", f"{bytes_text(memory['total'])}, {bytes_text(memory['free'])} free"),
        ("GPU", _gpus(facts)),
        ("Arithmetic", _PRECISION[facts["precision"]]),
        ("Disk", f"{bytes_text(disk['free'])} free"),
        *data,
    ]


def _gpus(facts: Mapping[str, Any]) -> str:
    gpus = [device for device in facts["devices"] if device["id"] != "cpu" and device["usable"]]
    if not gpus:
        return "present, not usable" if facts["unusable_gpu"] else "none found"
    return ", ".join(
        device["name"] + (f", {bytes_text(device['memory_mib'] << 20)}" if device["memory_mib"] else "")
        for device in gpus
    )


def _table(rows: list[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return f"<table class='lab-rows'>{lines}</table>"
