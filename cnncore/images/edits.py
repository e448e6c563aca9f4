"""What can be done to an image set: each edit is a value that is stored, and a pure function of the set before it.

An edit that is refused raises and changes nothing. Limits are checked where an edit is made, not here: an edit that was
stored once must always be possible again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cnncore.errors import DataError
from cnncore.images.class_names import check_distinct, clean_class_name, same_class, shortened
from cnncore.images.division import divide
from cnncore.images.image_set import Division, ImageRecord, ImageSet, SplitName

Keys = Annotated[tuple[int, ...], AfterValidator(lambda keys: tuple(dict.fromkeys(keys)))]


class _Edit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def settled(self, state: ImageSet) -> Change:
        """This edit with everything that must never be computed anew."""
        return self  # type: ignore[return-value]


class AddImages(_Edit):
    """Add images, with keys counted on from `next_key`; classes they name come into being, in their order."""

    kind: Literal["add_images"] = "add_images"
    images: tuple[ImageRecord, ...]

    def apply(self, state: ImageSet) -> ImageSet:
        classes = list(state.classes)
        for label in dict.fromkeys(record.label for record in self.images):
            if label not in classes:
                check_distinct(label, classes)
                if clean_class_name(label) != label:
                    raise DataError(f"The class name {shortened(label)!r} is not in its clean form.", "Clean it first.")
                classes.append(label)
        keys = [record.key for record in self.images]
        if keys != list(range(state.next_key, state.next_key + len(keys))):
            raise DataError("The images were numbered for another version of the set.", "Add them again.")
        return dataclasses.replace(
            state,
            classes=tuple(classes),
            images={**state.images, **dict(zip(keys, self.images, strict=True))},
            next_key=state.next_key + len(keys),
        )


class AddClass(_Edit):
    """Add a class without images."""

    kind: Literal["add_class"] = "add_class"
    name: str

    def apply(self, state: ImageSet) -> ImageSet:
        name = clean_class_name(self.name)
        check_distinct(name, state.classes)
        return dataclasses.replace(state, classes=(*state.classes, name))


class RenameClass(_Edit):
    """Give a class another name."""

    kind: Literal["rename_class"] = "rename_class"
    old: str
    new: str

    def apply(self, state: ImageSet) -> ImageSet:
        old, new = find_class(self.old, state), clean_class_name(self.new)
        check_distinct(new, [name for name in state.classes if name != old])
        classes = tuple(new if name == old else name for name in state.classes)
        return dataclasses.replace(_relabeled(state, _of_classes(state, {old}), new), classes=classes)


class MergeClasses(_Edit):
    """Make one class of several; `into` is one of them or a new name, and stands where the first of them stood."""

    kind: Literal["merge_classes"] = "merge_classes"
    names: tuple[str, ...] = Field(min_length=1)
    into: str

    def apply(self, state: ImageSet) -> ImageSet:
        merged = {find_class(name, state) for name in self.names}
        into = clean_class_name(self.into)
        if into in state.classes:
            merged.add(into)
        if len(merged) < 2:
            raise DataError("Merging takes at least two classes.", "Choose another class too, or rename this one.")
        check_distinct(into, [name for name in state.classes if name not in merged])
        first = min(map(state.classes.index, merged))
        classes = [name for name in state.classes if name not in merged]
        classes.insert(first, into)
        return dataclasses.replace(_relabeled(state, _of_classes(state, merged), into), classes=tuple(classes))


class RemoveClass(_Edit):
    """Take a class away; its images stay in the set, excluded."""

    kind: Literal["remove_class"] = "remove_class"
    name: str

    def apply(self, state: ImageSet) -> ImageSet:
        name = find_class(self.name, state)
        state = _changed(state, _of_classes(state, {name}), excluded=True)
        return dataclasses.replace(state, classes=tuple(other for other in state.classes if other != name))


class MoveImages(_Edit):
    """Give images another class; their splits stay."""

    kind: Literal["move_images"] = "move_images"
    keys: Keys
    label: str

    def apply(self, state: ImageSet) -> ImageSet:
        return _relabeled(state, self.keys, find_class(self.label, state))


class ExcludeImages(_Edit):
    """Leave images out for now; their splits stay."""

    kind: Literal["exclude_images"] = "exclude_images"
    keys: Keys

    def apply(self, state: ImageSet) -> ImageSet:
        return _changed(state, self.keys, excluded=True)


class RestoreImages(_Edit):
    """Take excluded images back in; a class of theirs that was removed comes back too."""

    kind: Literal["restore_images"] = "restore_images"
    keys: Keys

    def apply(self, state: ImageSet) -> ImageSet:
        state = _changed(state, self.keys, excluded=False)
        for label in dict.fromkeys(state.images[key].label for key in self.keys):
            own = [key for key in self.keys if state.images[key].label == label]
            known = same_class(label, state.classes)
            if known is None:
                state = dataclasses.replace(state, classes=(*state.classes, label))
            elif known != label:
                state = _relabeled(state, own, known)
        return state


class MoveToSplit(_Edit):
    """Put images into train, validation or test by hand."""

    kind: Literal["move_to_split"] = "move_to_split"
    keys: Keys
    split: SplitName

    def apply(self, state: ImageSet) -> ImageSet:
        return _changed(state, self.keys, split=self.split)


class Divide(_Edit):
    """Assign every image anew, excluded ones too: they would otherwise come back into any split.

    `splits` is filled in when the edit is made: what was divided once stays so, whatever a later version would do.
    """

    kind: Literal["divide"] = "divide"
    division: Division
    splits: dict[int, SplitName] | None = None

    def settled(self, state: ImageSet) -> Change:
        shares = (self.division.validation, self.division.test)
        if min(shares) < 0 or sum(shares) >= 1:
            raise DataError(
                f"Validation and test cannot take {sum(shares):.0%} of the images.",
                "Allowed: less than 100 % together.",
            )
        return Divide(division=self.division, splits=divide(state.images.values(), self.division))

    def apply(self, state: ImageSet) -> ImageSet:
        splits = self.splits or {}
        images = {key: dataclasses.replace(record, split=splits[key]) for key, record in state.images.items()}
        return dataclasses.replace(state, images=images, division=self.division)


class Undo(_Edit):
    """Return to what the set was at version `to`; the history applies it."""

    kind: Literal["undo"] = "undo"
    to: int = Field(ge=0)


Change = (
    AddImages
    | AddClass
    | RenameClass
    | MergeClasses
    | RemoveClass
    | MoveImages
    | ExcludeImages
    | RestoreImages
    | MoveToSplit
    | Divide
)
Edit = Change | Undo
StoredEdit = Annotated[Edit, Field(discriminator="kind")]


def find_class(name: str, state: ImageSet) -> str:
    """The class of this name.

    Raises:
        DataError: where there is none.
    """
    if name in state.classes:
        return name
    known = same_class(name, state.classes)
    if known is not None:
        return known
    raise DataError(f"There is no class “{shortened(name)}”.", "Choose one that is there, or add it first.")


def _of_classes(state: ImageSet, labels: set[str]) -> tuple[int, ...]:
    return tuple(key for key, record in state.images.items() if record.label in labels)


def _relabeled(state: ImageSet, keys: Iterable[int], label: str) -> ImageSet:
    return _changed(state, keys, label=label)


def _changed(state: ImageSet, keys: Iterable[int], **values: Any) -> ImageSet:
    images = dict(state.images)
    for key in keys:
        images[key] = dataclasses.replace(_record(images, key), **values)
    return dataclasses.replace(state, images=images)


def _record(images: Mapping[int, ImageRecord], key: int) -> ImageRecord:
    if key not in images:
        raise DataError(f"There is no image {key} in this set.", "Reload the page: the set may have changed.")
    return images[key]
