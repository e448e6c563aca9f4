from __future__ import annotations

from pathlib import Path

import pytest

from cnncore.errors import ConfigError
from cnncore.images.limits import SETTINGS, Limits, limits


def test_without_settings_the_usual_limits_hold() -> None:
    assert limits() == Limits()
    assert (Limits().image_bytes, Limits().pixels, Limits().upload_bytes) == (25_000_000, 50_000_000, 500_000_000)


def test_each_setting_sets_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(SETTINGS, start=7):
        monkeypatch.setenv(name, f" {number} ")
    assert limits() == Limits(
        set_images=7, image_mb=8, megapixels=9, upload_mb=10, archive_files=11, archive_mb=12
    )  # fmt: skip


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "90", "9" * 5_000, "\u0663", "1e3"])
def test_a_bad_value_is_one_sentence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CNNLAB_MAX_MEGAPIXELS", value)
    with pytest.raises(ConfigError, match="whole numbers from 1 to 89") as caught:
        limits()
    assert caught.value.field == "CNNLAB_MAX_MEGAPIXELS"


def test_the_readme_names_every_setting() -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text()
    assert not [name for name in SETTINGS if f"`{name}`" not in readme]
