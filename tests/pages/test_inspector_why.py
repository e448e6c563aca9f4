"""The view Why: several methods at once, networks side by side, the check with random weights, links of any kind."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.analysis import attribution as attributions
from cnncore.analysis import sanity as checks
from cnncore.answers import Answer
from cnncore.errors import DataError, LabError
from pages.components.inspector_link import Look
from pages.components.inspector_why_cards import completeness_words
from pages.components.inspector_why_methods import DEFAULT_METHODS, METHODS, SETTINGS
from pages.components.inspector_why_networks import Explained, same_class
from pages.components.inspector_why_pictures import csv, drawn, png
from pages.components.inspector_why_sanity import contact_sheet, similarity_table, verdict_words
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import words

Asked = list[tuple[str, Mapping[str, Any]]]
PICTURE = "data:mnist5k:test:3"
CLASSES = ("cat", "dog <b>", "_bird_", "fish", "frog", "horse", "ship")
OTHERS = {
    "run:aaaaaa": Look(network="run:aaaaaa", title="Pets", stamp="2", picture="", size=8, classes=("Dog <B>", "cow")),
    "run:bbbbbb": Look(network="run:bbbbbb", title="Digits", stamp="3", picture="", size=8, classes=("0", "1", "2")),
}
LAYERS = ["features.0", "features.3", "features.6"]


def inspected(request: Mapping[str, Any]) -> Answer:
    """The second class is the most probable one, then the others in turn."""
    names = CLASSES if request["network"] not in OTHERS else OTHERS[request["network"]].classes
    count = min(5, len(names))
    top = np.roll(np.arange(len(names)), -1)[:count]
    shares = np.array([0.6, 0.2, 0.1, 0.05, 0.01][:count], np.float32)
    return Answer({"classes": [names[place] for place in top], "label": ""}, {"top": top, "shares": shares})


def attributed(request: Mapping[str, Any]) -> Answer:
    """A map with two places for and one against the class."""
    values = np.zeros((8, 8), np.float32)
    values[2, 3:5], values[5, 5] = 2.5, -1.0
    signed = request["method"] in ("occlusion", "integrated_gradients")
    gap = {"image": 9.0, "baseline": 1.0, "attributed": 7.9, "gap_percent": 1.25}
    facts = {
        "pending": False,
        "method": request["method"],
        "target": request["target"],
        "layer": request.get("layer", "features.6") if request["method"] == "gradcam" else "",
        "signed": signed,
        "completeness": gap if request["method"] == "integrated_gradients" else None,
    }
    return Answer(facts, {"map": values if signed else abs(values), "pixels": np.full((8, 8, 1), 90, np.uint8)})


def checked(request: Mapping[str, Any]) -> Answer:
    """Grad-CAM notices, others do not."""
    similarity = {name: [1.0, 0.7, 0.1] if name == "gradcam" else [1.0, 0.9, 0.8] for name in request["methods"]}
    facts = {"pending": False, "methods": request["methods"], "depths": ["", "fc <i>", "features"]}
    maps = np.full((len(similarity), 3, 4, 4), 200, np.uint8)
    draws = {name: [values[-1], values[-1] - 0.04] for name, values in similarity.items()}
    return Answer(
        {**facts, "similarity": similarity, "draws": draws, "limit": 0.5},
        {"maps": maps, "pixels": np.zeros((8, 8, 1), np.uint8)},
    )


def layers(request: Mapping[str, Any]) -> Answer:
    found = [{"name": name, "passes_all": True} for name in LAYERS] + [{"name": "branch", "passes_all": False}]
    return Answer({"layers": found, "last": LAYERS[-1], "size": 8})


def page() -> None:
    from pages.components.inspector_link import Look
    from pages.components.inspector_why import show_why
    from tests.pages.test_inspector_why import CLASSES, PICTURE

    show_why(Look(network="run:cccccc", title="Zoo *1*", stamp="1", picture=PICTURE, size=8, classes=CLASSES))


@pytest.fixture
def why(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The view, not drawn yet."""
    for name, answer in {"inspect": inspected, "attribution": attributed, "sanity": checked, "layers": layers}.items():
        monkeypatch.setitem(ANSWERS, name, answer)
    monkeypatch.setattr("pages.components.inspector_why_networks.look_at", lambda name: OTHERS.get(name, "It is gone."))
    titles = {name: look.title for name, look in OTHERS.items()}
    monkeypatch.setattr("pages.components.inspector_why_controls.network_choices", lambda: titles)
    return AppTest.from_function(page, default_timeout=30)


def follow(why: AppTest, **params: str) -> AppTest:
    """Open the view by a link; `class_` and `with_` for those two."""
    for name, value in params.items():
        why.query_params[name.rstrip("_")] = value
    return why.run()


def maps(asked: Asked) -> dict[str, Mapping[str, Any]]:
    """The last question for each method of the chosen network."""
    of_zoo = [request for name, request in asked if name == "attribution" and request["network"] == "run:cccccc"]
    return {request["method"]: request for request in of_zoo}


def html(why: AppTest) -> str:
    return " ".join(element.proto.body for element in why.get("html"))


def warned(why: AppTest) -> list[str]:
    return [each.value.replace("\\", "") for each in why.warning]


# What is shown


def test_the_most_probable_class_is_explained_by_several_methods(why: AppTest, asked: Asked) -> None:
    follow(why)
    assert_clean(why)
    assert list(maps(asked)) == list(DEFAULT_METHODS)
    assert {request["target"] for request in maps(asked).values()} == {1}
    assert maps(asked)["gradcam"] == {
        "network": "run:cccccc", "stamp": "1", "picture": PICTURE, "method": "gradcam", "target": 1,
    }  # fmt: skip
    told = words(why)
    for method in DEFAULT_METHODS:
        assert f"**{METHODS[method].title}**" in told
        assert METHODS[method].source in told
    assert html(why).count("<img alt=") == len(DEFAULT_METHODS)
    assert "Layer features.6." in told
    assert "All places add up to 7.9; the score rose by 8, from 1 for the even picture to 9." in told
    assert "against: −2.5" in told
    assert "for dog &lt;b&gt;: 2.5" in told
    assert "dog <b>" not in html(why)
    assert not {"class", "method", "layer", "settings", "part"} & address(why).keys()


def test_a_class_is_chosen_among_the_first_five_or_all(why: AppTest, asked: Asked) -> None:
    follow(why)
    assert why.pills(key="why_class_top").options == [
        "dog \\<b\\> · 60.0 %", "\\_bird\\_ · 20.0 %", "fish · 10.0 %", "frog · 5.0 %", "horse · 1.0 %",
    ]  # fmt: skip
    why.pills(key="why_class_top").set_value(3).run()
    assert address(why)["class"] == "3"
    assert {request["target"] for request in maps(asked).values()} == {3}
    why.selectbox(key="why_class_any").set_value(6).run()
    assert address(why)["class"] == "6"
    assert maps(asked)["occlusion"]["target"] == 6
    assert why.pills(key="why_class_top").value is None
    why.pills(key="why_class_top").set_value(1).run()
    assert "class" not in address(why)
    assert_clean(why)


def test_methods_are_chosen_and_one_stays(why: AppTest, asked: Asked) -> None:
    follow(why, method="gradient")
    assert list(maps(asked)) == ["gradient"]
    assert not [name for name, _ in asked if name == "layers"], "only Grad-CAM needs layers"
    why.pills(key="why_methods").set_value(["gradient", "smoothgrad"]).run()
    assert address(why)["method"] == "smoothgrad,gradient"
    why.pills(key="why_methods").set_value([]).run()
    assert address(why)["method"] == "smoothgrad,gradient"
    assert why.pills(key="why_methods").value == ["smoothgrad", "gradient"]


def test_how_maps_are_shown_is_in_the_link_and_asks_nothing_anew(why: AppTest, asked: Asked) -> None:
    follow(why)
    before, drawing = len(asked), html(why)
    why.slider(key="why_opacity").set_value(30).run()
    assert address(why)["settings"] == "opacity:30"
    assert html(why) != drawing
    why.segmented_control(key="why_show").set_value("map").run()
    assert address(why)["settings"] == "show:map,opacity:30"
    assert not [each for each in why.slider if each.key == "why_opacity"]
    assert "class='lab-why-bar'" in html(why)
    why.segmented_control(key="why_show").set_value("picture").run()
    assert "class='lab-why-bar'" not in html(why), "a picture alone has no colors to explain"
    assert len(asked) == before
    assert_clean(why)


def test_settings_reach_only_their_method(why: AppTest, asked: Asked) -> None:
    follow(why, settings="steps:64,noise:0.2", method="integrated_gradients,smoothgrad,gradient")
    assert maps(asked)["integrated_gradients"]["steps"] == 64
    assert maps(asked)["smoothgrad"]["noise"] == 0.2
    assert not {"steps", "noise", "samples"} & maps(asked)["gradient"].keys()
    why.number_input(key="why_setting_samples").set_value(50).run()
    assert address(why)["settings"] == "steps:64,noise:0.2,samples:50"
    assert maps(asked)["smoothgrad"]["samples"] == 50
    why.button(key="why_usual").click().run()
    assert "settings" not in address(why)
    assert "steps" not in maps(asked)["integrated_gradients"]


def test_only_layers_that_everything_passes_through_are_offered(why: AppTest, asked: Asked) -> None:
    follow(why)
    assert why.selectbox(key="why_layer").options == ["The last with some extent", *reversed(LAYERS)]
    why.selectbox(key="why_layer").set_value("features.3").run()
    assert address(why)["layer"] == "features.3"
    assert maps(asked)["gradcam"]["layer"] == "features.3"
    assert "layer" not in maps(asked)["occlusion"]
    assert "Layer features.3." in words(why)


# Waiting and failing


def test_a_card_that_fails_leaves_the_others(why: AppTest, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_maps(request: Mapping[str, Any]) -> Answer:
        if request["method"] == "gradcam":
            raise DataError("This network keeps no maps.", "Use a network with convolutions.")
        return attributed(request)

    monkeypatch.setitem(ANSWERS, "attribution", without_maps)
    monkeypatch.setitem(ANSWERS, "layers", lambda request: Answer({"layers": [], "last": "", "size": 8}))
    follow(why, part="sanity")
    assert not why.exception
    assert [request["methods"] for name, request in asked if name == "sanity"] == [
        ["occlusion", "integrated_gradients"]
    ]
    assert [each.value for each in why.error] == ["This network keeps no maps. Use a network with convolutions."]
    assert html(why).count("lab-why-picture'><img") == len(DEFAULT_METHODS) - 1
    assert not [each for each in why.selectbox if each.key == "why_layer"]
    follow(why, method="gradcam")
    assert "None of the chosen methods has a map for this network." in words(why)


def test_slow_methods_do_not_hold_back_the_others(why: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [0, 1]

    def slow(request: Mapping[str, Any]) -> Answer:
        if request["method"] == "occlusion" and left:
            return Answer({"pending": True, "done": left.pop(), "total": 4})
        return attributed(request)

    monkeypatch.setitem(ANSWERS, "attribution", slow)
    follow(why)
    assert html(why).count("<img alt=") == len(DEFAULT_METHODS) - 1
    (progress,) = why.get("progress")
    assert (progress.proto.value, progress.proto.text) == (25, "Computing… 25 %")
    while left:
        why.run()
    why.run()
    assert html(why).count("<img alt=") == len(DEFAULT_METHODS)
    assert_clean(why)


def test_without_a_service_the_page_says_so(why: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: Mapping[str, Any]) -> Answer:
        raise LabError("The service is not there.", "Try again.")

    for name in ("inspect", "attribution", "layers"):
        monkeypatch.setitem(ANSWERS, name, refuse)
    follow(why)
    assert not why.exception
    assert {each.value for each in why.error} == {"The service is not there. Try again."}


def test_a_map_of_nothing_says_so(why: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(request: Mapping[str, Any]) -> Answer:
        found = attributed(request)
        return replace(found, arrays={**found.arrays, "map": np.zeros((8, 8), np.float32)})

    monkeypatch.setitem(ANSWERS, "attribution", empty)
    follow(why, method="gradcam")
    assert_clean(why)
    assert "The map is empty: no place counts for this class." in words(why)


# Links


@pytest.mark.parametrize(
    "asked_for",
    [
        {
            "class_": ("7", "no class '7'"),
            "method": ("pca,gradcam,occlusion,integrated_gradients", "no method 'pca'"),
            "layer": ("branch", "cannot take the layer 'branch'"),
            "settings": ("steps:1e9", "'steps:1e9' cannot be taken; steps is from 8 to 256"),
            "with_": ("run:../../etc", "There is no network named 'run:../../etc'"),
        },
        {
            "class_": ("²", "no class '²'"),
            "method": ("../" * 900, "no method '../"),
            "layer": ("__class__" * 100, "cannot take the layer '__class__"),
            "settings": ("noise:nan", "noise is from 0.01 to 1"),
            "with_": ("x" * 5_000, "There is no network named 'xxx"),
        },
        {
            "class_": ("9" * 4_000, "no class '999"),
            "settings": ("show:<b>", "show is over, map, picture"),
            "with_": ("run:aaaaaa,run:bbbbbb,run:aaaaab,run:aaaaac", "At most 3 further networks"),
        },
        {"class_": ("-1", "no class '-1'"), "settings": ("opacity:101", "opacity is from 0 to 100")},
        {"class_": ("<script>", "no class '<script>'"), "settings": (",::,", "there are steps, window, stride")},
        {"settings": ("window:-1", "window is from 0 to 512")},
    ],
)
def test_what_a_link_cannot_ask_for_is_one_sentence(
    why: AppTest, asked: Asked, asked_for: Mapping[str, tuple[str, str]]
) -> None:
    follow(why, **{name: value for name, (value, _) in asked_for.items()})
    assert_clean(why)
    for _, sentence in asked_for.values():
        (told,) = [each for each in warned(why) if sentence in each]
        assert len(told) < 250
    assert {request["target"] for request in maps(asked).values()} == {1}
    assert list(maps(asked)) == list(DEFAULT_METHODS)
    assert maps(asked)["gradcam"].keys() == {"network", "stamp", "picture", "method", "target"}


def test_a_link_of_nonsense_is_answered_by_a_few_sentences(why: AppTest) -> None:
    nonsense = ",".join(f"n{number}:{number}" for number in range(500))
    follow(why, settings=nonsense, with_=nonsense, method=nonsense, class_=nonsense, layer=nonsense, part=nonsense)
    assert_clean(why)
    assert 1 <= len(why.warning) <= 5


def test_a_link_brings_everything_back(why: AppTest, asked: Asked) -> None:
    follow(why, class_="4", method="gradcam,gradient", layer="features.0", settings="show:picture", part="sanity")
    assert_clean(why)
    assert list(maps(asked)) == ["gradcam", "gradient"]
    assert maps(asked)["gradcam"]["layer"] == "features.0"
    assert why.segmented_control(key="why_show").value == "picture"
    assert [request["target"] for name, request in asked if name == "sanity"] == [4]


# Side by side


def test_networks_side_by_side_explain_the_same_class_or_their_own(why: AppTest, asked: Asked) -> None:
    follow(why, method="gradient", with_="run:aaaaaa,run:bbbbbb")
    assert_clean(why)
    beside = {request["network"]: request for name, request in asked if name == "attribution"}
    assert beside["run:aaaaaa"] == {
        "network": "run:aaaaaa", "stamp": "2", "picture": PICTURE, "method": "gradient", "target": 0,
    }  # fmt: skip
    assert beside["run:bbbbbb"]["target"] == 1
    told = words(why)
    assert "**Zoo *1***" in told
    assert "Says: dog <b> (60.0 %), _bird_ (20.0 %). Explained: dog <b>." in told
    assert "It has no class dog <b>, so its own most probable one is explained: 1." in told
    assert html(why).count("Cannot tell") == 1, "what a method does is said once"
    why.multiselect(key="why_with").set_value(["run:bbbbbb"]).run()
    assert address(why)["with"] == "run:bbbbbb"


def test_a_network_beside_that_is_gone_leaves_the_others(why: AppTest) -> None:
    follow(why, method="gradient", with_="run:dddddd,run:aaaaaa")
    assert_clean(why)
    assert warned(why) == ["It is gone."]
    assert html(why).count("<img alt=") == 2


def test_a_network_beside_takes_its_own_layer_where_it_has_not_the_chosen_one(
    why: AppTest, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def own(request: Mapping[str, Any]) -> Answer:
        names = LAYERS if request["network"] == "run:cccccc" else ["stem"]
        return Answer({"layers": [{"name": name, "passes_all": True} for name in names], "last": names[-1], "size": 8})

    monkeypatch.setitem(ANSWERS, "layers", own)
    follow(why, method="gradcam", layer="features.0", with_="run:aaaaaa")
    assert_clean(why)
    layers_asked = [request.get("layer") for name, request in asked if name == "attribution"]
    assert layers_asked == ["features.0", None]
    assert "It has no layer features.0 for Grad-CAM, which takes its last one." in words(why)


@pytest.mark.parametrize(
    ("name", "classes", "place"),
    [("cat", ("dog", "Cat"), 1), ("t-shirt", ("T shirt",), 0), ("cat", ("dog",), None), ("cat", (), None)],
)
def test_a_class_is_found_by_its_name(name: str, classes: tuple[str, ...], place: int | None) -> None:
    look = Look(network="run:cccccc", title="", stamp="", picture="", size=8, classes=(name,))
    assert same_class(Explained(look=look, target=0), classes) == place


def test_of_equal_classes_the_place_counts_since_two_may_have_one_name() -> None:
    look = Look(network="run:cccccc", title="", stamp="", picture="", size=8, classes=("crane", "ox", "crane"))
    assert same_class(Explained(look=look, target=2), ("crane", "ox", "crane")) == 2


# The check with random weights


def test_the_check_is_asked_for_by_one_button(why: AppTest, asked: Asked) -> None:
    follow(why, method="gradcam,gradient")
    assert not [name for name, _ in asked if name == "sanity"]
    why.button(key="why_sanity_open").click().run()
    assert_clean(why)
    assert address(why)["part"] == "sanity"
    (request,) = [request for name, request in asked if name == "sanity"]
    assert request["methods"] == ["gradcam", "gradient"]
    assert request["target"] == 1
    told = words(why)
    assert "Grad-CAM notices: with all weights random the correlation is only 0.08 (0.06 to 0.10 in 2 draws)" in told
    assert "Plain gradient hardly notices: with all weights random the correlation is still 0.78" in told
    assert "<b>1</b> fc &lt;i&gt;" in told
    assert "Adebayo et al." in told
    why.button(key="why_sanity_close").click().run()
    assert "part" not in address(why)


def test_random_weights_cannot_be_checked(why: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def random() -> None:
        from pages.components.inspector_link import Look
        from pages.components.inspector_why import show_why

        show_why(
            Look(network="untrained:lenet5", title="LeNet", stamp="1", picture="kept:0", size=8, classes=("a", "b"))
        )

    app = AppTest.from_function(random, default_timeout=30)
    follow(app, part="sanity")
    assert_clean(app)
    assert "choose a trained one" in words(app)
    assert not [each for each in app.button if each.key == "why_sanity_open"]


@pytest.mark.parametrize(
    ("similarity", "draws", "sentence"),
    [
        ([1, 0.9, 0.5], [0.5], "A hardly notices: with all weights random the correlation is still 0.50 (one draw)."),
        ([1, 0.9, 0.4], [0.4, 0.7], "still 0.55 (0.40 to 0.70 in 2 draws)."),
        ([1, 0.9, 0.4], [0.4], "A notices: with all weights random the correlation is only 0.40 (one draw)."),
        (
            [1, 0.1, 0.8, 0.4, -0.2],
            [-0.2, 0],
            "only −0.10 (−0.20 to 0.00 in 2 draws); below 0.5 from 3 random parts on.",
        ),
        ([1, 0.8, 0.7, 0.6], [0.6, 0.2], "only 0.40 (0.20 to 0.60 in 2 draws)."),
    ],
)
def test_the_verdict_follows_from_the_answer(similarity: list[float], draws: list[float], sentence: str) -> None:
    told = verdict_words("A", similarity, draws, checks.NOTICES_BELOW, is_empty=False)
    assert sentence in told
    assert checks.verdict(draws) == ("hardly notices" if "hardly" in told else "notices")


def test_an_empty_map_is_told() -> None:
    assert "(one draw), its map is empty; below 0.5 from 1 random" in verdict_words(
        "A", [1, 0, 0], [0], 0.5, is_empty=True
    )


# Files and words


def test_what_is_given_away_is_what_is_shown() -> None:
    found = attributed({"method": "occlusion", "target": 1})
    pixels, values = found.arrays["pixels"], found.arrays["map"]
    large = np.asarray(Image.open(io.BytesIO(png(drawn(pixels, values, signed=True, show="map", opacity=75)))))
    assert large.shape == (224, 224, 3)
    assert large[2 * 28, 3 * 28].tolist() == large[2 * 28 + 27, 3 * 28 + 27].tolist() == [180, 4, 38]
    assert large[0, 0].tolist() == [221, 221, 221]
    over = drawn(pixels, values, signed=True, show="over", opacity=50)
    assert over[0, 0].tolist() == [90, 90, 90]
    assert over[2, 3].tolist() == [135, 47, 64]
    gray = np.asarray(Image.open(io.BytesIO(png(drawn(pixels, values, signed=True, show="picture", opacity=0)))))
    assert (gray == 90).all()
    assert np.array_equal(np.loadtxt(io.BytesIO(csv(values)), delimiter=","), values)


def test_the_files_of_the_check_hold_all_methods_and_depths() -> None:
    found = checked({"methods": ["gradcam", "gradient"]})
    table = similarity_table(found.data["depths"], found.data["similarity"])
    assert table.columns.tolist() == ["random up to", "Grad-CAM", "Plain gradient"]
    assert table["random up to"].tolist() == ["nothing", "fc <i>", "features"]
    assert table["Plain gradient"].tolist() == [1.0, 0.9, 0.8]
    maps = np.arange(2 * 3 * 16, dtype=np.uint8).reshape(2, 3, 4, 4)
    assert contact_sheet(maps).shape == (12, 18, 3)


@pytest.mark.parametrize(
    ("gap", "sentence"),
    [
        (1.25, "That is 1.2 % off: close."),
        (40.0, "That is 40 % off: take more steps."),
        (None, "The score hardly changed, so there is little to share out."),
    ],
)
def test_completeness_is_told_in_words(gap: float | None, sentence: str) -> None:
    told = completeness_words({"image": 9.0, "baseline": 1.0, "attributed": 7.9, "gap_percent": gap})
    assert told.endswith(sentence)


def test_methods_and_settings_are_those_of_the_question() -> None:
    assert METHODS.keys() == attributions.METHODS.keys()
    fields = attributions.AttributionSettings.model_fields
    assert SETTINGS.keys() == fields.keys() - {"seed"}
    assert {name for method in METHODS.values() for name in method.settings} == SETTINGS.keys()
    for name, spec in SETTINGS.items():
        limits = [limit for each in fields[name].metadata for limit in dataclasses.astuple(each)]
        assert (spec.default, [spec.least, spec.most]) == (fields[name].default, limits)
