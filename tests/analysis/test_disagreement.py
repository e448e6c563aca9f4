"""Two trained networks on the same images, compared with what each of them was scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncore.analysis.disagreement import disagree
from cnncore.config import TrainConfig, replace
from cnncore.errors import DataError, LabError
from cnncore.places import artifacts_dir, data_dir
from cnncore.questions.runs import disagreement
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.pairing import check_comparable, common_splits
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from cnncore.training.api import train


@pytest.fixture
def pair(store: RunStore, tiny: TrainConfig) -> tuple[Run, Run]:
    first, second = (train(tiny, settings={"training.seed": seed}).run for seed in (0, 1))
    return store.get(first), store.get(second)


def ask(pair: tuple[Run, Run], **more: Any) -> Any:
    return disagreement({"a": pair[0].id, "b": pair[1].id, **more})


def test_counts_examples_and_cache(pair: tuple[Run, Run], store: RunStore) -> None:
    answer = ask(pair)
    counts = answer.data["counts"]
    assert answer.lasting
    assert answer.data["count"] == answer.data["total"] == sum(counts.values()) == 1_000
    assert counts["both_right"] + counts["a_only"] == pair[0].summary["test_correct"]
    assert counts["both_right"] + counts["b_only"] == pair[1].summary["test_correct"]
    for kind in ("a_only", "b_only", "both_wrong"):
        labels = answer.arrays[f"{kind}_labels"]
        said = [answer.arrays[f"{kind}_{name}_top"][:, 0] for name in "ab"]
        assert len(labels) == min(24, counts[kind]) > 0
        assert answer.arrays[f"{kind}_images"].shape == (len(labels), 28, 28, 1)
        assert answer.arrays[f"{kind}_images"].max() == 255
        assert (said[0] != said[1]).all()
        assert ((said[0] == labels) == (kind == "a_only")).all()
        assert ((said[1] == labels) == (kind == "b_only")).all()
        shares = answer.arrays[f"{kind}_a_shares"]
        assert ((shares >= 0) & (shares <= 1)).all()
        assert (np.diff(shares, axis=1) <= 0).all()
    # To look again at images that both were scored on is no further score.
    assert [store.get(run.id).summary["test_scored"] for run in pair] == [1, 1]


def test_a_network_agrees_with_itself(pair: tuple[Run, Run]) -> None:
    counts = ask((pair[0], pair[0]), split="validation").data["counts"]
    assert counts["a_only"] == counts["b_only"] == counts["both_wrong"] == 0


def test_what_is_not_done_in_time_is_a_sample(pair: tuple[Run, Run]) -> None:
    found = disagree(artifacts_dir(), data_dir(), *pair, "test", budget_s=0)
    assert (found.count, found.total) == (10, 1_000)


def test_runs_without_common_images(store: RunStore, tiny: TrainConfig) -> None:
    def run(summary: dict[str, Any], **settings: Any) -> Run:
        named = {name.replace("__", "."): value for name, value in settings.items()}
        made = store.create(replace(tiny, named).model_dump(mode="json"), name=f"Run {len(store.list())}")
        store.set_summary(made.id, summary)
        return store.get(made.id)

    scored = {"test_scored": 1, "num_validation": 20}
    a, b = run(scored), run(scored, training__seed=4)
    assert common_splits(a, b) == ("test", "validation")
    assert common_splits(a, run(scored, data__seed=4)) == ("test",)
    assert common_splits(a, run({"num_validation": 20})) == ("validation",)
    with pytest.raises(DataError, match=r"divided the images differently.*Run 4 has not been scored yet"):
        common_splits(a, run({"num_validation": 20}, data__seed=4))
    with pytest.raises(DataError, match="no images in common"):
        common_splits(a, run(scored, data__dataset="mnist"))
    versions = [run(scored, data__dataset="image_set", data__image_set=f"0123456789ab@{number}") for number in (3, 4)]
    with pytest.raises(DataError, match=r"version 3 of its image set, .* on version 4"):
        common_splits(*versions)
    with pytest.raises(DataError, match="Compare them on the test images"):
        check_comparable(a, run(scored, data__train_images=300), "validation")


def test_a_run_without_weights_is_named(pair: tuple[Run, Run], artifacts: Path) -> None:
    (run_dir(artifacts, pair[1].id) / WEIGHTS).unlink()
    with pytest.raises(LabError, match=r"#2: The run has no trained weights"):
        ask(pair)
