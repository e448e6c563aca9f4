"""What the browser sends when a picture is pasted."""

from __future__ import annotations

import base64

import pytest

from cnncore.errors import DataError
from pages.components.transfer_use_paste import MAX_BYTES, picture_bytes


def test_the_file_comes_out_of_the_address() -> None:
    content = b"\x89PNG anything"
    assert picture_bytes(f"data:image/png;base64,{base64.b64encode(content).decode()}") == content
    assert picture_bytes(None) is None


@pytest.mark.parametrize(
    "sent",
    [
        "data:text/html;base64,AAAA",
        "data:image/png;base64,<script>",
        "data:image/png;base64,AAA",
        "data:image/png;base64,ÄÄÄÄ",
        f"data:image/png;base64,{'A' * MAX_BYTES}",
        {"picture": 1},
        17,
    ],
)
def test_anything_else_is_refused_in_a_sentence(sent: object) -> None:
    with pytest.raises(DataError, match=r"picture"):
        picture_bytes(sent)
