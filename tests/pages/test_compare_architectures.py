"""Compare, Architectures: the table, its filter and its details, the charts, links with sense and with nonsense."""

from __future__ import annotations

import io
import socket

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.catalog import MODELS
from cnncore.config import TrainConfig, replace
from cnncore.config.latency import published_latency
from cnncore.errors import LabError
from cnncore.runs.store import Run, RunStore
from pages.components.architecture_details import fitting_dataset, train_link
from pages.components.architectures_state import to_csv
from tests.pages import conftest
from tests.pages.conftest import address, assert_clean

LAYER = {
    "name": "conv1", "kind": "convolution", "kernel": [5, 5], "stride": [1, 1], "padding": [0, 0], "groups": 1,
    "in_shape": [1, 28, 28], "out_shape": [20, 24, 24], "weights": 500, "biases": 20,
    "norm_statistics": 0, "num_params": 520, "macs": 288_000, "flops": 576_000, "jump": None, "start": None,
    "activations": 784, "indices": 0, "receptive_field": 5,
}  # fmt: skip


def _no_drawing(request: object) -> Answer:
    raise LabError("It is not drawn here.")


@pytest.fixture(autouse=True)
def _layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conftest.ANSWERS, "profile", lambda request: Answer({"layers": [LAYER]}))
    monkeypatch.setitem(conftest.ANSWERS, "graph", _no_drawing)


def compare(app: AppTest, **params: str) -> AppTest:
    """Open the view by a link."""
    app.switch_page("pages/compare.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def networks(app: AppTest) -> list[str]:
    """The names in the table."""
    return app.dataframe(key="architectures_rows").value["network"].tolist()


def table_with(app: AppTest, column: str) -> pd.DataFrame:
    """The table that has this column."""
    return next(each.value for each in app.dataframe if column in each.value)


def finished(store: RunStore, model: str, dataset: str, correct: int) -> Run:
    config = replace(TrainConfig(), {"model.name": model, "data.dataset": dataset})
    run = store.create(config.model_dump(mode="json"), name=f"{model} on {dataset}", status="starting")
    store.log(run.id, [], {"test_correct": correct, "test_count": 10_000, "num_params": MODELS[model].num_params})
    store.end(run.id, "finished")
    return run


def html(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def test_the_table_has_every_network(app: AppTest):
    compare(app)
    assert_clean(app)
    assert not app.warning
    assert networks(app) == [spec.title for spec in MODELS.values()]
    row = app.dataframe(key="architectures_rows").value.set_index("key").loc["vgg16"]
    assert row["params"] == 138_357_544
    assert row["top1"] == 71.592


def test_the_filter_is_in_the_link(app: AppTest):
    compare(app)
    app.pills(key="architectures_families").set_value(["vgg", "nin"]).run()
    app.text_input(key="architectures_text").set_value("5×5").run()
    assert_clean(app)
    assert networks(app) == [spec.title for key, spec in MODELS.items() if key.startswith("vgg13_5x5")]
    assert address(app) == {"view": "architectures", "families": "vgg,nin", "text": "5×5"}


def test_a_filter_that_nothing_fits_offers_the_way_back(app: AppTest):
    compare(app, text="transformer")
    assert_clean(app)
    assert "No network fits" in html(app)
    app.button(key="architectures_clear").click().run()
    assert len(networks(app)) == len(MODELS)
    assert address(app) == {"view": "architectures"}


def test_other_protocols_have_a_column_of_their_own(app: AppTest):
    compare(app)
    app.selectbox(key="architectures_protocol").set_value("imagenet-10-crops").run()
    assert_clean(app)
    table = app.dataframe(key="architectures_rows").value.set_index("key")
    assert table.loc["resnet18", "top1"] == pytest.approx(72.12)
    assert pd.isna(table.loc["vgg16_bn", "top1"])
    assert address(app)["protocol"] == "imagenet-10-crops"


def test_own_results_are_linked_with_their_run(app: AppTest, store: RunStore):
    finished(store, "resnet20", "cifar10", 9_000)
    best = finished(store, "resnet20", "cifar10", 9_100)
    compare(app, dataset="cifar10")
    row = app.dataframe(key="architectures_rows").value.set_index("key").loc["resnet20"]
    assert (row["own"], row["run"]) == (91, f"/train?run={best.id}")
    assert "own" not in _columns(compare(app, dataset="mnist"))


def _columns(app: AppTest) -> list[str]:
    return list(app.dataframe(key="architectures_rows").proto.column_order)


def test_columns_without_a_number_are_not_shown(app: AppTest):
    assert {"top1", "params_and_statistics"} <= set(_columns(compare(app)))
    shown = _columns(compare(app, families="lenet"))
    assert not {"top1", "own", "run", "params_and_statistics"} & set(shown)


def test_the_details_of_a_network(app: AppTest):
    compare(app, families="vgg", net="vgg16")
    assert_clean(app)
    assert app.subheader[0].value == "VGG-16 (D)"
    assert [metric.value for metric in app.metric][:3] == ["138,357,544", "16 layers", "15.5 G"]
    assert MODELS["vgg16"].cautions[0].split(",")[0] in html(app)
    layers = table_with(app, "kernel")
    assert layers["layer"].tolist() == ["conv1"]
    published = table_with(app, "protocol")
    assert set(published["protocol"]) == {each.protocol for each in MODELS["vgg16"].results}
    app.button(key="architectures_close").click().run()
    assert "net" not in address(app)


def test_training_opens_the_form_with_the_network(app: AppTest):
    compare(app, net="lenet5").button(key="architectures_train").click().run()
    assert not app.exception
    assert app.title[0].value == "Train"
    assert app.selectbox(key="train_model_name").value == "lenet5"


def test_every_network_finds_images():
    for key, spec in MODELS.items():
        assert train_link(key).get("model.name", key) == key
        assert fitting_dataset(spec) == "mnist5k", "nothing else is at hand"


@pytest.mark.parametrize("tab", ["cost", "timeline", "parameters"])
@pytest.mark.parametrize("net", ["", "googlenet_small"])
def test_every_part_can_be_shown(app: AppTest, tab: str, net: str):
    compare(app, tab=tab, net=net, of="resnet50")
    assert_clean(app)
    assert app.segmented_control(key="architectures_tab").value == tab


@pytest.mark.parametrize("y", ["top1", "top5", "own"])
@pytest.mark.parametrize("x", ["macs", "params"])
def test_every_pair_of_axes(app: AppTest, store: RunStore, x: str, y: str):
    finished(store, "nin", "cifar10", 9_000)
    compare(app, tab="cost", x=x, y=y, dataset="cifar10")
    assert_clean(app)
    table = table_with(app, "nothing beats it")
    assert any(table["nothing beats it"])
    assert (table["network"].tolist() == ["Network in Network"]) == (y == "own")


def measured(store: RunStore, model: str, ms: float) -> None:
    config = published_latency(model).model_dump(mode="json")
    run = store.create(config, name=f"Latency of {model}", kind="latency")
    store.claim(run.id, socket.gethostname())
    timing = {"batch_size": 1, "ms": ms, "ms_p10": ms, "ms_p90": ms, "repeats": 50}
    facts = {"device": "cpu", "device_name": "A processor", "precision": "bf16", "threads": 2, "timings": [timing]}
    store.log(run.id, [], facts)
    store.end(run.id, "finished")


def test_latency_is_an_axis_once_it_was_measured(app: AppTest, store: RunStore):
    compare(app, tab="cost", x="latency")
    assert_clean(app)
    assert "Latency" not in app.segmented_control(key="architectures_x").options
    assert any("MACs are shown instead" in caption.value for caption in app.caption)
    measured(store, "vgg16", 90.0)
    st.cache_resource.clear()
    compare(app, tab="cost", x="latency", net="vgg16")
    assert_clean(app)
    assert app.segmented_control(key="architectures_x").value == "latency"
    assert table_with(app, "nothing beats it")["cost"].tolist() == [90]
    assert "90 ms" in [metric.value for metric in app.metric]
    app.segmented_control(key="architectures_y").set_value("own").run()
    assert_clean(app)
    assert "Latency" not in app.segmented_control(key="architectures_x").options


def test_a_latency_is_measured_on_demand(app: AppTest, store: RunStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pages.components.latency_view.ensure_runner", lambda artifacts: None)
    compare(app, net="lenet5").multiselect(key="latency_sizes").set_value([64, 1]).run()
    app.button(key="latency_start").click().run()
    assert not app.exception
    (run,) = store.list(kind="latency")
    assert run.config["model"]["name"] == "lenet5"
    assert run.config["batch_sizes"] == [1, 64]
    assert address(app) == {"run": run.id}


def test_a_choice_in_one_part_survives_a_visit_to_another(app: AppTest):
    compare(app, tab="cost", families="resnet")
    app.segmented_control(key="architectures_x").set_value("params").run()
    app.segmented_control(key="architectures_tab").set_value("timeline").run()
    app.segmented_control(key="architectures_tab").set_value("cost").run()
    assert_clean(app)
    assert address(app) == {"view": "architectures", "tab": "cost", "families": "resnet", "x": "params"}


def test_chosen_networks_are_drawn(app: AppTest):
    compare(app, tab="parameters").multiselect(key="architectures_nets").set_value(["nin", "vgg16"]).run()
    assert_clean(app)
    table = table_with(app, "stage")
    assert table["network"].unique().tolist() == [MODELS["nin"].title, MODELS["vgg16"].title]
    assert address(app)["nets"] == "nin,vgg16"
    app.multiselect(key="architectures_nets").set_value([]).run()
    assert_clean(app)
    assert address(app)["nets"] == ""


def test_nonsense_in_a_link_is_named_and_the_rest_kept(app: AppTest):
    compare(app, net="vgg61", families="vgg", tab="<b>", dataset="imagenet")
    assert not app.exception
    (warning,) = (element.value for element in app.warning)
    assert "vgg16" in warning
    assert "<b>" not in warning.replace(r"\<b\>", "")
    assert all(name.startswith("VGG") for name in networks(app))


def test_an_unknown_view_shows_the_first(app: AppTest):
    compare(app, view="banana")
    assert_clean(app)
    assert networks(app)


def test_without_the_service_the_stages_are_drawn(app: AppTest, broken_service: None):
    compare(app, tab="parameters", net="vgg16")
    assert_clean(app)
    said = [element.value for element in app.caption]
    assert any("The service is not there." in text for text in said)


def test_tables_are_downloaded_as_csv(app: AppTest):
    compare(app, families="nin")
    assert len(app.get("download_button")) == 1
    table = pd.DataFrame({"network": ["VGG-16 (D)", "5×5, a"], "params": [1, None]})
    again = pd.read_csv(io.BytesIO(to_csv(table)()))
    assert again["network"].tolist() == ["VGG-16 (D)", "5×5, a"]


def test_home_leads_here(app: AppTest):
    app.run().button(key="home_start_pages/compare.py").click().run()
    assert_clean(app)
    assert app.title[0].value == "Compare"
