"""The command `images`: image sets of this lab, listed, shown, made and changed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnncore import places
from cnncore.commands.command import Command
from cnncore.errors import DataError

if TYPE_CHECKING:
    from cnncore.images.image_set import ImageSet
    from cnncore.images.store import ImageSets


@dataclass(frozen=True, kw_only=True)
class _Action:
    """One thing that is done to image sets: `run` returns the sets that it concerned."""

    help: str
    run: Callable[[ImageSets, argparse.Namespace], tuple[ImageSet, ...]]
    options: Callable[[argparse.ArgumentParser], None]


def _options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, action in _ACTIONS.items():
        its = actions.add_parser(name, help=action.help)
        action.options(its)
        its.add_argument("--json", action="store_true", help="a line of JSON for each set")
    parser.set_defaults(action="list", deleted=False, json=False)


def _images(arguments: argparse.Namespace) -> int:
    from cnncore.images.store import open_sets

    concerned = _ACTIONS[arguments.action].run(open_sets(places.data_dir()), arguments)
    if arguments.json:
        for image_set in concerned:
            print(json.dumps(_facts(image_set)))
    elif arguments.action == "list":
        _print_list(concerned)
    else:
        for image_set in concerned:
            _print_set(image_set)
    return 0


def _facts(image_set: ImageSet) -> dict[str, object]:
    from cnncore.images.findings import balance, findings

    return {
        "set": image_set.id,
        "reference": image_set.reference,
        "name": image_set.name,
        "images": len(image_set.included()),
        "classes": balance(image_set).to_dict(orient="records"),
        "findings": [
            {"kind": found.kind, "severity": found.severity, "message": found.message, "images": len(found.keys)}
            for found in findings(image_set)
        ],
    }


def _print_list(sets: tuple[ImageSet, ...]) -> None:
    print(f"{'set':<20}{'images':>8}{'classes':>9}  name")
    for image_set in sets:
        print(f"{image_set.reference:<20}{len(image_set.included()):>8,}{len(image_set.classes):>9,}  {image_set.name}")


def _print_set(image_set: ImageSet) -> None:
    from cnncore.images.findings import balance, findings

    print(f"{image_set.name} ({image_set.reference}): {len(image_set.included()):,} images")
    print(f"{'train':>8}{'validation':>12}{'test':>8}{'excluded':>10}  class")
    for row in balance(image_set).to_dict(orient="records"):
        print(f"{row['train']:>8,}{row['validation']:>12,}{row['test']:>8,}{row['excluded']:>10,}  {row['class']}")
    for found in findings(image_set):
        print(f"{found.severity}: {found.message} {found.hint}")


def _find(sets: ImageSets, text: str, *, deleted: bool = False) -> ImageSet:
    """The set with this id, beginning of an id, name, or id@version.

    Raises:
        DataError: where there is none, or several.
    """
    start, _, version = text.partition("@")
    known = sets.all(deleted=deleted)
    found = [each for each in known if each.id.startswith(start)] if start else []
    found = found or [each for each in known if each.name == text]
    if len(found) != 1:
        problem = "There is no image set" if not found else f"There are {len(found):,} image sets"
        raise DataError(f"{problem} {text[:60]!r}.", "`python -m cnncore images list` has their ids.")
    return sets.at(f"{found[0].id}@{version}") if version else found[0]


def _list(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    return sets.all(deleted=arguments.deleted)


def _show(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    return (_find(sets, arguments.set),)


def _add(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    from cnncore.images.intake import Incoming, add_images

    known = [each for each in sets.all() if arguments.name in (each.id, each.name)]
    target = _find(sets, arguments.name) if known else sets.create(arguments.name)
    incoming = [Incoming(name=path.name, content=path.resolve(), label=arguments.label) for path in arguments.paths]
    try:
        progress = add_images(sets, target.id, incoming)
    except BaseException:
        if not known:
            sets.delete(target.id)
        raise
    if not arguments.json:
        print(f"{progress.added:,} added, {progress.duplicates:,} were there already.")
        for name, reason in progress.refused:
            print(f"not added: {name}: {reason}")
    return (sets.get(target.id),)


def _sample(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    from cnncore.data.sample_sets import make_sample_set

    return (make_sample_set(arguments.key, places.data_dir(), sets),)


def _rename(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    found = _find(sets, arguments.set)
    sets.rename(found.id, arguments.name)
    return (sets.get(found.id),)


def _merge(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    from cnncore.images.edits import MergeClasses

    edit = MergeClasses(names=tuple(arguments.classes), into=arguments.into or arguments.classes[0])
    return (sets.apply(_find(sets, arguments.set).id, edit),)


def _divide(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    from cnncore.images.edits import Divide
    from cnncore.images.image_set import Division

    division = Division(validation=arguments.validation, test=arguments.test, seed=arguments.seed)
    return (sets.apply(_find(sets, arguments.set).id, Divide(division=division)),)


def _undo(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    return (sets.undo(_find(sets, arguments.set).id),)


def _delete(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    found = _find(sets, arguments.set)
    sets.delete(found.id)
    if not arguments.json:
        print(f"{found.name} was deleted; `python -m cnncore images restore {found.id}` brings it back.")
    return ()


def _restore(sets: ImageSets, arguments: argparse.Namespace) -> tuple[ImageSet, ...]:
    found = _find(sets, arguments.set, deleted=True)
    sets.restore(found.id)
    return (sets.get(found.id),)


def _set_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("set", help="id of the set, or its beginning, or its name")


def _list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deleted", action="store_true", help="sets that can still be restored instead")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="name or id of a set, or the name of a new one")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="pictures, folders of classes, or ZIPs")
    parser.add_argument("--class", dest="label", metavar="NAME", help="the class of all of them; else their folders")


def _sample_options(parser: argparse.ArgumentParser) -> None:
    from cnncore.catalog.sample_sets import SAMPLE_SETS

    parser.add_argument("key", help=f"one of {', '.join(SAMPLE_SETS)}")


def _rename_options(parser: argparse.ArgumentParser) -> None:
    _set_argument(parser)
    parser.add_argument("name", help="its new name")


def _merge_options(parser: argparse.ArgumentParser) -> None:
    _set_argument(parser)
    parser.add_argument("classes", nargs="+", metavar="CLASS", help="the classes that become one")
    parser.add_argument("--into", metavar="NAME", help="what it is called; the first of them if not given")


def _divide_options(parser: argparse.ArgumentParser) -> None:
    _set_argument(parser)
    parser.add_argument("--validation", type=float, default=0.2, metavar="SHARE", help="0.2 if not given")
    parser.add_argument("--test", type=float, default=0.0, metavar="SHARE", help="0 if not given")
    parser.add_argument("--seed", type=int, default=0)


_ACTIONS = {
    "list": _Action(help="all sets, newest first", run=_list, options=_list_options),
    "show": _Action(help="classes, splits and what stands out", run=_show, options=_set_argument),
    "add": _Action(help="add pictures, folders or ZIPs to a set, or to a new one", run=_add, options=_add_options),
    "sample": _Action(help="make a set of images that are at hand", run=_sample, options=_sample_options),
    "rename": _Action(help="give a set another name", run=_rename, options=_rename_options),
    "merge": _Action(help="make one class of several", run=_merge, options=_merge_options),
    "divide": _Action(help="divide into train, validation and test anew", run=_divide, options=_divide_options),
    "undo": _Action(help="take the last change back", run=_undo, options=_set_argument),
    "delete": _Action(help="take a set off the list", run=_delete, options=_set_argument),
    "restore": _Action(help="put a deleted set back on the list", run=_restore, options=_set_argument),
}

COMMANDS = {"images": Command(help="image sets: list, show, add, sample, …", run=_images, options=_options)}
