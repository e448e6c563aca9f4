"""Links between a run and the Transfer page."""

from __future__ import annotations

from cnncore.catalog.backbones import BACKBONES
from cnncore.config import TrainConfig, differences
from cnncore.config.transfer import transfer_base
from cnncore.errors import LabError
from cnncore.runs.run import Run
from pages.components.lab import store
from pages.components.run_words import read_config
from pages.components.transfer_train_subject import base_of_run, open_set


def belongs_here(run: Run) -> bool:
    """Whether a run is a training on an image set with a head of its own, which the Transfer page shows whole."""
    config = run.config
    on_set = config.get("data", {}).get("dataset") == "image_set"
    return run.kind == "train" and on_set and config.get("transfer", {}).get("head", "network") != "network"


def image_set_of(run: Run) -> str:
    """Id of the image set that a run was trained on; empty where it was none."""
    return str(run.config.get("data", {}).get("image_set") or "").partition("@")[0]


def run_params(run: Run) -> dict[str, str]:
    """Parameters of the link to a run on the Transfer page."""
    return {"step": "train", "set": image_set_of(run), "run": run.id}


def settings_params(run: Run) -> dict[str, str]:
    """Parameters of the link to the form with a run's settings, on the newest version of its image set.

    Raises:
        LabError: if the set or the settings are not there any more.
    """
    config = read_config(run)
    if config is None:
        raise LabError(f"The settings of {run.name} are of another version of the lab.", "Choose a backbone anew.")
    image_set = open_set(image_set_of(run))
    source, base = _nearest(config, image_set.reference)
    changes = differences(config, base)
    changes.pop("data.image_set", None)
    return {"step": "train", "set": image_set.id, **source, **changes}


def _nearest(config: TrainConfig, reference: str) -> tuple[dict[str, str], TrainConfig]:
    """What the form is to start from; a run from scratch names the backbone it is compared with."""
    if config.training.start_from:
        other = store().get(config.training.start_from)
        return {"from": other.id}, base_of_run(other, reference)
    keys = [config.transfer.backbone] if config.transfer.backbone else []
    keys += [key for key, spec in BACKBONES.items() if spec.network == config.model.name]
    if not keys:
        raise LabError(
            f"No backbone is of the network {config.model_spec.title}.", "Open the run's settings on the Train page."
        )
    bases = {key: transfer_base(key, reference) for key in keys}
    key = min(bases, key=lambda each: len(differences(config, bases[each])))
    return {"backbone": key}, bases[key]
