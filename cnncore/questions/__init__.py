"""What the service can be asked: one function a question, which takes a JSON object and returns an `Answer`.

To add one, write a function in the module of its subject and add it to `QUESTIONS`. None of them trains a run or
downloads anything; those of `cnncore.makers` make a run or an image set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from cnncore import makers
from cnncore.answers import Answer
from cnncore.questions import (
    datasets,
    digits,
    embedding,
    errors,
    excites,
    inspection,
    lessons,
    maps,
    networks,
    probes,
    runs,
    why,
)

# On top of the niceness: a question must not take both cores from a training run.
torch.set_num_threads(1)

Question = Callable[[dict[str, Any]], Answer]

QUESTIONS: dict[str, Question] = {
    "attribution": why.attribution,
    "browse": inspection.browse,
    "changed_digits": digits.changed_digits,
    "dense_or_convolutional": lessons.dense_or_convolutional,
    "disagreement": runs.disagreement,
    "embedding": embedding.embedding,
    "exciting_patches": excites.exciting_patches,
    "exciting_units": excites.exciting_units,
    "feature_maps": maps.maps,
    "filters": maps.filters,
    "grad_cam": runs.heat,
    "graph": networks.graph,
    "import_weights": makers.import_weights,
    "inspect": inspection.inspect,
    "layers": maps.layers,
    "machine": networks.machine,
    "make_sample_set": makers.sample_set,
    "outcomes_on": runs.outcomes,
    "predict": runs.prediction,
    "preview": datasets.augmentation_preview,
    "probe_by_depth": probes.probes,
    "profile": networks.profile,
    "read_bundle": makers.read_bundle,
    "robustness": errors.robustness,
    "samples": datasets.data_samples,
    "sanity": why.sanity,
    "split_outcomes": errors.split_outcomes,
    "synthesis": excites.synthesis,
    "thumbnails": errors.thumbnails,
    "transfer_costs": networks.transfer_costs,
    "unit": maps.unit,
    "weight_histograms": maps.histograms,
}
