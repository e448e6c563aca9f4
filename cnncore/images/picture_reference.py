"""What a picture is called in links and questions: one line of text that leads back to the same pixels.

sample:RUN:SPLIT:INDEX      an image that a run was trained or tested on, by its position in the split
data:DATASET:SPLIT:INDEX    an image of a data set of the catalog, as its files are divided
set:ID@VERSION:KEY          an image of an image set
kept:NAME                   what a person gave, kept by `cnncore.images.kept_pictures`
drawn:TEXT                  a drawn digit, 28 × 28 pixels of gray (`cnncore.images.drawing`)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cnncore.errors import ConfigError

LONGEST = 4_000
"""Characters of a reference."""

_SPLIT = r"(?P<split>train|validation|test)"
_PLACE = r"(?P<place>\d{1,9})"
_FORMS = {
    "sample": re.compile(rf"(?P<source>[0-9a-f]{{6,32}}):{_SPLIT}:{_PLACE}"),
    "data": re.compile(rf"(?P<source>[a-z0-9_]{{1,40}}):{_SPLIT}:{_PLACE}"),
    "set": re.compile(rf"(?P<source>[0-9a-z]{{1,32}}@\d{{1,9}}):{_PLACE}"),
    "kept": re.compile(r"(?P<source>[0-9a-f]{32})"),
    "drawn": re.compile(r"(?P<source>[A-Za-z0-9_-]{1,3900})"),
}


@dataclass(frozen=True, kw_only=True)
class PictureReference:
    """A picture by name.

    Attributes:
        kind: sample, data, set, kept or drawn.
        source: Id of the run, key of the data set, id@version of the image set, name or text.
        split: train, validation or test, of a sample or of data.
        place: Position in the split, or the key in the image set; -1 where there is only one picture.
    """

    kind: str
    source: str
    split: str = ""
    place: int = -1

    def __str__(self) -> str:
        parts = (self.kind, self.source, self.split, str(self.place) if self.place >= 0 else "")
        return ":".join(part for part in parts if part)


def parse_picture(text: str) -> PictureReference:
    """The picture that a line names.

    Raises:
        ConfigError: where it names none.
    """
    kind, _, rest = text[:LONGEST].partition(":")
    found = _FORMS[kind].fullmatch(rest) if kind in _FORMS else None
    if found is None:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise ConfigError("picture", f"There is no picture named {shown!r}.", "Choose one anew.")
    parts = found.groupdict()
    return PictureReference(
        kind=kind, source=parts["source"], split=parts.get("split", ""), place=int(parts.get("place", -1))
    )


_WHOLE = {
    "run": re.compile(r"[0-9a-f]{6,32}"),
    "data": re.compile(r"[a-z0-9_]{1,40}"),
    "set": re.compile(r"[0-9a-f]{12}@[1-9]\d{0,8}"),
}


@dataclass(frozen=True, kw_only=True)
class ImagesReference:
    """Images by name: their kind (run, data, set), and the id of the run, the key or id@version."""

    kind: str
    source: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.source}"

    def picture(self, split: str, place: int, name: str = "") -> PictureReference:
        """One of them.

        Args:
            split: train, validation or test.
            place: Position in the split.
            name: What the data set calls it, see `cnncore.data.ImageData.names`; needed for an image set.
        """
        if self.kind == "set":
            return PictureReference(kind="set", source=self.source, place=int(name))
        kind = "sample" if self.kind == "run" else "data"
        return PictureReference(kind=kind, source=self.source, split=split, place=place)


def parse_images(text: str) -> ImagesReference:
    """The images that a line names.

    Raises:
        ConfigError: where it names none.
    """
    kind, _, source = text.partition(":")
    if kind not in _WHOLE or not _WHOLE[kind].fullmatch(source):
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise ConfigError("images", f"There are no images named {shown!r}.", "Choose some anew.")
    return ImagesReference(kind=kind, source=source)
