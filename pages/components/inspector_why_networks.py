"""What is explained side by side: a class of the chosen network, and the same class of others where they know it.

A network that has no class of that name explains its own most probable one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from cnncore.answers import Answer
from pages.components.inspector_answers import answer_of
from pages.components.inspector_link import Look
from pages.components.inspector_network import look_at
from pages.components.inspector_why_link import Wish
from pages.components.wording import plain, share_text


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A class that a network explains.

    Attributes:
        target: Its place among the network's classes.
        layer: For Grad-CAM; empty for the last one.
        said: What the network says of the picture, in words.
        note: What is different from what was asked for; or empty.
    """

    look: Look
    target: int
    layer: str = ""
    said: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """Of the class."""
        return self.look.classes[self.target]


def said_of(look: Look) -> Answer | None:
    """What a network says of the picture; None, with a bar or an error drawn, until it is known."""
    return answer_of(f"why_said_{look.network}", "inspect", look.request, words="Looking at the picture…")


def map_layers_of(look: Look) -> tuple[str, ...] | None:
    """Layers that Grad-CAM can take, input side first; none where no maps say where; None until they are known."""
    answer = answer_of(f"why_layers_{look.network}", "layers", look.subject, quiet=True)
    if answer is None:
        return None
    if not answer.data["last"]:
        return ()
    return tuple(layer["name"] for layer in answer.data["layers"] if layer["passes_all"])


def explained(look: Look, wish: Wish, said: Answer, layer: str) -> Explained:
    """The chosen network's class."""
    target = wish.target if wish.target is not None else int(said.arrays["top"][0])
    return Explained(look=look, target=target, layer=layer, said=_words(said))


def explained_beside(first: Explained, name: str) -> Explained | None:
    """What another network explains; None, with the reason drawn, until it is known or where there is nothing."""
    found = look_at(name)
    if isinstance(found, str):
        st.warning(plain(found), icon=":material/image_not_supported:")
        return None
    look = replace(found, picture=first.look.picture)
    st.markdown(f"**{plain(look.title)}**")
    said = said_of(look)
    if said is None:
        return None
    target = same_class(first, look.classes)
    note = ""
    if target is None:
        target = int(said.arrays["top"][0])
        note = f"It has no class {first.name}, so its own most probable one is explained: {said.data['classes'][0]}."
    if look.network.startswith("untrained:"):
        note = f"{note} Its weights are random, so its classes mean nothing.".strip()
    names = map_layers_of(look) if first.layer else ()
    if names is None:
        return None
    layer = first.layer if first.layer in names else ""
    if first.layer and not layer:
        note = f"{note} It has no layer {first.layer} for Grad-CAM, which takes its last one.".strip()
    return Explained(look=look, target=target, layer=layer, said=_words(said), note=note)


def same_class(first: Explained, classes: Sequence[str]) -> int | None:
    """The place of the class among those of another network, by name; capitals and spaces do not matter."""
    if tuple(classes) == first.look.classes:
        return first.target
    names = [_folded(name) for name in classes]
    name = _folded(first.name)
    return names.index(name) if name in names else None


def _folded(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ").strip()


def _words(said: Answer) -> str:
    """The two most probable classes."""
    shares = said.arrays["shares"].tolist()
    pairs = list(zip(said.data["classes"], shares, strict=True))
    return ", ".join(f"{name} ({share_text(share)})" for name, share in pairs[:2])
