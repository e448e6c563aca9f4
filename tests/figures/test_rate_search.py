"""The chart of a search for a learning rate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cnncore.config import TrainConfig
from cnncore.figures.rate_search import rate_search
from cnncore.runs.events import Row
from cnncore.runs.history import History
from cnncore.runs.store import RunStore
from tests import fake_runs
from tests.figures.charts import named, numbers, sent


def _history(store: RunStore, upto: int) -> History:
    run = store.create(TrainConfig().model_dump(mode="json"), name="Search", kind="find_lr")
    store.log(run.id, list(fake_runs.search_rows(upto)))
    history = History(run.id)
    history.refresh(store)
    return history


def test_the_suggestion_lies_on_the_smoothed_curve(store: RunStore):
    content = sent(rate_search(_history(store, upto=110), 0.0012))
    traces = named(content)
    x, y = numbers(traces["smoothed"]["x"]), numbers(traces["smoothed"]["y"])
    mark = traces["suggested"]
    assert mark["x"] == [0.0012]
    assert mark["y"][0] == pytest.approx(np.interp(math.log(0.0012), np.log(x), y), rel=1e-3)
    assert content["layout"]["shapes"][0]["x0"] == 0.0012
    assert content["layout"]["xaxis"]["type"] == "log"


def test_the_explosion_at_the_end_does_not_flatten_the_fall(store: RunStore):
    content = sent(rate_search(_history(store, upto=120), 0.0012))
    assert np.nanmax(numbers(named(content)["each step"]["y"])) > 50
    assert 2.3 < content["layout"]["yaxis"]["autorangeoptions"]["clipmax"] < 4


def test_before_the_first_step_it_says_what_will_come(store: RunStore):
    content = sent(rate_search(_history(store, upto=0), None))
    assert content["traces"] == []
    assert content["empty"]


def test_a_search_whose_loss_is_never_a_number(store: RunStore):
    run = store.create(TrainConfig().model_dump(mode="json"), name="Search", kind="find_lr")
    store.log(run.id, [Row(phase="step", step=1, values={"loss": math.nan, "lr": 1e-6})])
    history = History(run.id)
    history.refresh(store)
    assert "suggested" not in named(sent(rate_search(history, 0.1)))
