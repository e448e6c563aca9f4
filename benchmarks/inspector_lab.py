"""A lab to measure the Inspector on: folders of their own, two networks, pictures, and its service."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image
from safetensors.torch import save_file

from cnncore.answers import Answer
from cnncore.ask import ask
from cnncore.config import ModelConfig, TrainConfig, replace
from cnncore.images.drawing import drawing_text
from cnncore.images.kept_pictures import keep_picture
from cnncore.models import build_model
from cnncore.places import PROJECT_ROOT
from cnncore.runs.store import RunStore
from cnncore.runs.subjects import parse_subject, subject_stamp
from cnncore.training.imports import ImportRequest, import_weights

PATIENCE_S = 120.0
RESNET_LAYER = "stage3"


@dataclass(kw_only=True)
class Lab:
    """Folders of their own with two networks; the environment of this process names them."""

    artifacts: Path
    data: Path
    store: RunStore
    resnet: str = ""
    digits: str = ""
    pictures: Iterator[str] = field(default_factory=lambda: iter(()))

    def request(self, network: str, picture: str, **more: Any) -> dict[str, Any]:
        """A question about a network and a picture, as the page puts it."""
        return {"network": network, "stamp": self.stamp(network), "picture": picture, **more}

    def stamp(self, network: str) -> str:
        """What questions about its weights have."""
        return subject_stamp(self.artifacts, self.data, parse_subject(network))

    def maps(self) -> tuple[str, dict[str, Any]]:
        """Feature maps of a picture that nobody has looked at."""
        return "feature_maps", self.request(self.resnet, next(self.pictures), layer=RESNET_LAYER)

    def gradcam(self) -> tuple[str, dict[str, Any]]:
        """Grad-CAM of a picture that nobody has looked at."""
        return "attribution", self.request(self.resnet, next(self.pictures), method="gradcam")


def make_lab(artifacts: Path, data: Path) -> Lab:
    """Networks and pictures to look at: a ResNet-50 with random weights, and LeNet after an epoch on 5,000 digits."""
    os.environ.update(CNNLAB_ARTIFACTS=str(artifacts), CNNLAB_DATA=str(data), CNNLAB_SERVICE_IDLE_S="300")
    os.environ.pop("CNNLAB_DATABASE_URL", None)
    store = RunStore(f"sqlite:///{artifacts / 'lab.db'}")
    lab = Lab(artifacts=artifacts, data=data, store=store, pictures=photographs(artifacts))
    file = artifacts / "resnet50.safetensors"
    model = ModelConfig(name="resnet50")
    save_file(
        {name: value.contiguous() for name, value in build_model(model, (3, 224, 224), 1_000).state_dict().items()},
        file,
    )
    config = replace(TrainConfig(model=model), {"training.precision": "fp32"})
    request = ImportRequest(file=file, label="resnet50", config=config, has_images=False, name="ResNet-50")
    lab.resnet = f"run:{import_weights(store, artifacts, data, request).id}"
    command = (
        sys.executable,
        "-m",
        "cnncore",
        "train",
        "--model",
        "lenet_tutorial",
        "--dataset",
        "mnist5k",
        "--epochs",
        "1",
    )
    trained = subprocess.run((*command, "--json"), cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    lab.digits = f"run:{json.loads(trained.stdout.splitlines()[-1])['run']}"
    return lab


def photographs(artifacts: Path) -> Iterator[str]:
    """Pictures that differ, each by name."""
    random = np.random.default_rng(0)
    while True:
        rough = random.integers(255, size=(8, 8, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(rough).resize((256, 256), Image.Resampling.BICUBIC).save(buffer, format="PNG")
        yield f"kept:{keep_picture(artifacts, buffer.getvalue(), 'a picture')}"


def digit(number: int) -> str:
    """A drawn picture by name: a stroke somewhere."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4 : 20 + number % 5, 6 + number % 14 : 9 + number % 14] = 255
    return f"drawn:{drawing_text(pixels)}"


def whole(name: str, request: Mapping[str, Any]) -> Answer:
    """The whole answer to a question, which may come in pieces."""
    while True:
        answer = ask(name, request, timeout_s=PATIENCE_S)
        if not answer.data.get("pending"):
            return answer


def timed(name: str, request: Mapping[str, Any]) -> float:
    """Seconds until it is answered."""
    begin = time.perf_counter()
    whole(name, request)
    return time.perf_counter() - begin


def services(lab: Lab) -> list[psutil.Process]:
    """The services of this lab that run."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            own = process.environ().get("CNNLAB_ARTIFACTS") == str(lab.artifacts)
            if own and "cnncore.service" in process.cmdline():
                found.append(process)
    return found


def kill_service(lab: Lab) -> None:
    for process in services(lab):
        process.kill()
        process.wait()
