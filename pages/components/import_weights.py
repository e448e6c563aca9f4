"""Makes a run out of a file of weights: a button that opens the questions that have to be answered for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnncore.catalog import DATASETS, MODELS
from cnncore.config import ModelConfig, TrainConfig, differences
from cnncore.errors import LabError
from cnncore.runs.uploads import ENDINGS, keep_upload, stored_files, upload_file
from pages.components import waiting
from pages.components.clicks import clicked
from pages.components.form_fields import FORM
from pages.components.lab import artifacts, data_root, show_problem, shown_errors, store
from pages.components.navigation import open_run

PATIENCE_S = 58.0
_UPLOAD, _STORED = "Upload", "From the data folder"
_NO_IMAGES = "none"
_USUAL = ""
_PUBLIC = [key for key, spec in DATASETS.items() if spec.num_train]
"""Data sets that need nothing but their name."""


def draw_import(config: TrainConfig | None = None) -> None:
    """The button.

    Args:
        config: Whose network, options and images are offered first.
    """
    config = config or TrainConfig()
    if clicked(
        "Import weights",
        key="import_open",
        icon=":material/upload_file:",
        type="tertiary",
        help="Make a run out of a .safetensors or .pth file: torchvision's, timm's, CIFAR ResNets', your own.",
    ):
        _ask(config)


@st.dialog("Import weights", width="medium")
def _ask(config: TrainConfig) -> None:
    with shown_errors():
        st.caption(
            "The file's tensors become a finished run that can be scored, inspected and trained further. Only tensors "
            "are read; nothing in the file is run."
        )
        source = _file()
        model = st.selectbox(
            "Network",
            list(MODELS),
            index=list(MODELS).index(config.model.name),
            format_func=lambda key: MODELS[key].title,
            key="import_model",
        )
        network = config.model if model == config.model.name else ModelConfig(name=model)
        _options_note(network)
        left, right = st.columns(2)
        images = left.selectbox(
            "Images",
            [_NO_IMAGES, *_PUBLIC],
            index=1 + _PUBLIC.index(_first_images(config)),
            format_func=lambda key: DATASETS[key].title if key in DATASETS else "none yet (ImageNet's, for example)",
            key="import_images",
            help="The images it is scored on; their classes must be as many as the file's last layer knows.",
        )
        labels = {_USUAL: "as is usual for these weights", **FORM["data.normalize"].labels}
        normalize = right.selectbox(
            "Pixel values",
            list(labels),
            format_func=labels.__getitem__,
            key="import_normalize",
            help="What the weights were trained on. Usual: ImageNet's mean and deviation for torchvision's weights of "
            "1,000 classes, else the mean and deviation of the chosen images.",
        )
        if clicked("Import", type="primary", disabled=source is None, key="import_start") and source is not None:
            data = {"dataset": images} if images != config.data.dataset else config.data.model_dump(mode="json")
            request = {
                "model": network.model_dump(mode="json"),
                "data": None if images == _NO_IMAGES else data,
                "normalize": normalize,
            }
            _import(source, request)


def _first_images(config: TrainConfig) -> str:
    return config.data.dataset if config.data.dataset in _PUBLIC else _PUBLIC[0]


def _options_note(network: ModelConfig) -> None:
    """What of the form's network comes along, since the dialog does not show it."""
    base = TrainConfig(model=ModelConfig(name=network.name))
    changed = differences(base.model_copy(update={"model": network}), base)
    if changed:
        words = ", ".join(f"{FORM[name].title.lower()} {value}" for name, value in changed.items())
        st.caption(f"With the options of the form: {words}.")


def _file() -> Mapping[str, Any] | None:
    """The chosen file: its label, and its bytes or its name in the data folder; None until one is chosen."""
    stored = stored_files(data_root())
    kind = _UPLOAD
    if stored:
        kind = st.segmented_control("File", [_UPLOAD, _STORED], default=_UPLOAD, required=True, key="import_source")
    if kind == _STORED:
        name = st.selectbox("In weights/ of the data folder", stored, key="import_stored")
        return {"label": name, "stored": name}
    file = st.file_uploader(
        "A .safetensors file, or a state_dict of torch.save (.pth, .pt)",
        type=list(ENDINGS),
        key="import_file",
        help="Larger files than the server takes: put them into weights/ of the data folder, or use "
        "`python -m cnncore import`.",
    )
    return None if file is None else {"label": file.name.replace("\\", "/").rpartition("/")[2][:100], "bytes": file}


def _import(source: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    token = keep_upload(artifacts(), source["bytes"].getvalue()) if "bytes" in source else ""
    try:
        with st.spinner("Reading the weights…"):
            asked = {**request, "label": source["label"], "upload": token, "stored": source.get("stored", "")}
            answer = waiting.ask("import_weights", asked, timeout_s=PATIENCE_S)
    except LabError as error:
        show_problem(error)
        return
    finally:
        if token:
            upload_file(artifacts(), token).unlink(missing_ok=True)
    open_run(store().get(answer.data["run"]))
