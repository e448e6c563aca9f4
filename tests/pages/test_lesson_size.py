from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.lessons.stack_presets import STACK_PRESETS
from cnncore.lessons.stacks import MOST_LAYERS
from pages.components.lesson_size import SizeState, stack_data
from tests.pages.conftest import address, assert_clean


def opened(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    for name, value in {"lesson": "size", **params}.items():
        app.query_params[name] = value
    return app.run()


def test_the_lesson_opens(app: AppTest) -> None:
    opened(app)
    assert_clean(app)
    assert app.warning == []
    assert "How large is the output?" in app.header[0].value


def test_a_link_says_all_of_it(app: AppTest) -> None:
    opened(app, n="32", k="3", p="1", s="2", d="2", place="4", stack="c8k3-m2s2", size="64", channels="3", row="1")
    assert_clean(app)
    assert app.warning == []


def test_what_a_link_cannot_say_is_told(app: AppTest) -> None:
    opened(app, s="3", n="99", k="0", d="many", size="8", channels="0", row="40", stack="c6k5,z")
    assert_clean(app)
    told = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert len(app.warning) == 7
    assert "number of pixels n '99' cannot be taken. Allowed: 4 to 32." in told
    assert "kernel k '0' cannot be taken. Allowed: 1 to 11." in told
    assert "dilation d 'many' cannot be taken. Allowed: 1 to 3." in told
    assert "size of the input '8' cannot be taken. Allowed: 16 to 512." in told
    assert "channels of the input '0' cannot be taken. Allowed: 1 to 512." in told
    assert "chosen layer '40' cannot be taken. Allowed: -1 to 39." in told
    assert "Layer 2, 'z', is none that this lesson knows." in told
    assert address(app)["s"] == "3"


def test_impossible_combinations_are_no_errors(app: AppTest) -> None:
    opened(app, n="4", k="11", d="3", stack="d10", size="16", row="5", place="20")
    assert_clean(app)
    assert app.warning == []


@pytest.mark.parametrize(("stack", "says"), [("d10", "Flatten"), ("c4k31", "does not fit"), ("", "")])
def test_impossible_stacks_are_told(stack: str, says: str) -> None:
    assert says in stack_data(SizeState(stack=stack, size=16))["problem"]


def test_the_builder_gets_every_layer_with_what_comes_out_of_it() -> None:
    data = stack_data(SizeState())
    assert [row["shape"] for row in data["rows"]] == [
        (20, 24, 24), (20, 12, 12), (50, 8, 8), (50, 4, 4), (800,), (500,), (10,)
    ]  # fmt: skip
    assert data["rows"][0]["formula"] == "⌊(28 + 2 · 0 − 5) / 1⌋ + 1 = 24"
    assert data["rows"][4]["formula"] == "50 · 4 · 4 = 800"
    assert (data["params"], data["macs"], data["broken"]) == (431_080, 2_293_000, -1)
    # The output in the middle of the fourth layer sees 16 of the 28 pixels.
    assert data["rows"][3]["seen"] == (4.0, 20.0)
    assert data["rows"][3]["sees"] == 16
    assert [row["sees"] for row in data["rows"]] == [5, 6, 14, 16, 16, 0, 0]
    assert json.loads(json.dumps(data))


def test_a_stack_that_breaks_says_where_and_what_mends_it() -> None:
    preset = STACK_PRESETS["breaks"]
    data = stack_data(SizeState(stack=preset.stack, size=preset.size, channels=preset.channels))
    assert data["broken"] == len(data["rows"]) == 2
    assert "A window of 5 pixels does not fit into 2 pixels" in data["problem"]
    assert [mend["words"] for mend in data["mends"]] == ["a window of 2 × 2", "a padding of 2", "an input of 67 × 67"]
    for mend in data["mends"]:
        mended = stack_data(SizeState(stack=mend["stack"], size=mend["size"], channels=preset.channels))
        assert mended["broken"] == -1 or mended["broken"] > 2
        assert mended["params"] > data["params"]


def test_links_have_stacks_as_they_are_written() -> None:
    assert SizeState(stack="C6 k5".replace(" ", "") + "s1p0d1g1,M2").stack == "c6k5-m2s2"
    assert len(stack_data(SizeState(stack=",".join(["c4096k31s16p15d16g4096"] * MOST_LAYERS)))["layers"]) == MOST_LAYERS
