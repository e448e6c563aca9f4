"""What of a network's graph is drawn: blocks that are closed or open, repeated ones once, and the edges between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cnncore.graph import Graph

BUDGET = 32
"""Boxes up to which blocks are open at first; more are hard to take in at once."""
MOST_BOXES = 600
"""Boxes up to which blocks open when they are asked to."""
UNIT_LAYERS = 5
"""A convolution or dense layer with its normalization, activation, pooling and dropout."""
WEIGHTED = ("convolution", "dense")
FOLLOWING = ("normalization", "activation")
LOOSE = "+"
"""Behind the id of a unit that is no module: a layer with the normalization and activation that stand beside it."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A node, or a module with the nodes that ran in it; equal ones in a row are one block.

    Attributes:
        id: Name of the node, or of the (first) module; the root's is empty.
        last: Name of the last module that this block stands for; the same as `id` where there is one only.
        count: How many modules it stands for.
        nodes: Positions of the nodes of each of these modules.
        parts: The blocks inside the first module, in the order in which they run; empty for a node.
        is_unit: Whether it is one layer with what follows it: drawn as one box unless somebody wants to see all.
    """

    id: str
    last: str
    count: int
    nodes: tuple[tuple[int, ...], ...]
    parts: tuple[Block, ...] = ()
    is_unit: bool = False

    @property
    def can_open(self) -> bool:
        return len(self.nodes[0]) > 1

    @property
    def title(self) -> str:
        """Its name inside the block around it; `block2 – block6` where it stands for several."""
        first, last = (name.removesuffix(LOOSE).rpartition(".")[2] for name in (self.id, self.last))
        if first.isdecimal():  # a number says little without the name of the list it stands in
            first = ".".join(self.id.split(".")[-2:])
        return first if self.count == 1 else f"{first} – {last}"


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What is drawn.

    Attributes:
        root: The whole network.
        open: Ids of the blocks whose inside is drawn.
        edges: Ids of boxes between which something flows, source first, without repetition.
        sources: The node whose output an edge carries, by edge.
    """

    root: Block
    open: frozenset[str]
    edges: tuple[tuple[str, str], ...]
    sources: Mapping[tuple[str, str], int]


def outline(graph: Graph, wanted: Iterable[str] | None = None) -> Outline:
    """What is drawn of a graph.

    Args:
        graph: The network's graph.
        wanted: Ids of the blocks to open, unknown ones left aside; as many as stay easy to take in if not given.
    """
    root = _Tree(graph).root()
    opened = _first_open(root) if wanted is None else _known(root, frozenset(wanted))
    shown: dict[int, str] = {}
    _show(root, opened, shown, root.nodes)
    sources: dict[tuple[str, str], int] = {}
    order = {box: place for place, box in enumerate(dict.fromkeys(shown[node] for node in range(len(graph.nodes))))}
    for edge in graph.edges:
        pair = shown[edge.source], shown[edge.target]
        # What flows on inside a box, or back to the first of equal blocks, is not drawn.
        if order[pair[0]] < order[pair[1]]:
            sources.setdefault(pair, edge.source)
    return Outline(root=root, open=opened, edges=tuple(sources), sources=sources)


def boxes(block: Block, opened: frozenset[str]) -> int:
    """How many boxes a block takes, frames not counted."""
    return sum(boxes(part, opened) for part in block.parts) if _is_open(block, opened) else 1


def _is_open(block: Block, opened: frozenset[str]) -> bool:
    return bool(block.parts) and (not block.id or block.id in opened)


def _show(block: Block, opened: frozenset[str], shown: dict[int, str], nodes: Sequence[Sequence[int]]) -> None:
    """Note the box in which each node is drawn; `nodes` are those of all modules that are drawn as this block."""
    if not _is_open(block, opened):
        shown.update((node, block.id) for module in nodes for node in module)
        return
    place = {node: index for index, node in enumerate(block.nodes[0])}
    for part in block.parts:
        inside = [[module[place[node]] for node in one] for module in nodes for one in part.nodes]
        _show(part, opened, shown, inside)


def _first_open(root: Block) -> frozenset[str]:
    """Open blocks level by level as long as the boxes stay few."""
    opened: frozenset[str] = frozenset()
    level = list(root.parts)
    while level:
        for block in level:
            more = opened | {block.id}
            if block.parts and not block.is_unit and boxes(root, more) <= BUDGET:
                opened = more
        level = [part for block in level if block.id in opened for part in block.parts]
    return opened


def _known(root: Block, wanted: frozenset[str]) -> frozenset[str]:
    opened: frozenset[str] = frozenset()
    level = list(root.parts)
    while level:
        for block in level:
            if block.can_open and block.id in wanted and boxes(root, opened | {block.id}) <= MOST_BOXES:
                opened |= {block.id}
        level = [part for block in level if block.id in opened for part in block.parts]
    return opened


@dataclass
class _Module:
    """A module of the network while the tree is built: its nodes and its modules, in the order of their first run."""

    name: str
    items: dict[str, _Module | int] = field(default_factory=dict[str, "_Module | int"])

    def nodes(self) -> list[int]:
        """Positions of all nodes in it, in the order in which they run."""
        found: list[int] = []
        for item in self.items.values():
            found += [item] if isinstance(item, int) else item.nodes()
        return sorted(found)


class _Tree:
    """Builds the blocks of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.top = _Module("")
        for index, node in enumerate(graph.nodes):
            module = self.top
            *path, last = node.name.split(".")
            for depth, part in enumerate(path):
                inner = module.items.setdefault(part, _Module(".".join(path[: depth + 1])))
                if isinstance(inner, int):  # a layer and a module of one name: the layer moves into the module
                    module.items[part] = moved = _Module(".".join(path[: depth + 1]), {"": inner})
                    inner = moved
                module = inner
            module.items[last] = index

    def root(self) -> Block:
        """The whole network."""
        nodes = tuple(range(len(self.graph.nodes)))
        return Block(id="", last="", count=1, nodes=(nodes,), parts=self._parts(self.top))

    def _parts(self, module: _Module) -> tuple[Block, ...]:
        """What is drawn inside a module: its parts, branches without a frame, equal ones once."""
        items = list(module.items.values())
        if not self._is_unit(module):
            items = self._gathered(items)
        if module.name and not self._is_chain(items):
            # A branch is a chain among others side by side: its layers say all, a frame would say nothing.
            items = [inner for item in items for inner in self._dissolved(item)]
        blocks = [self._block(item) for item in items]
        merged: list[Block] = []
        for block in blocks:
            if merged and self._continues(merged[-1], block):
                before = merged[-1]
                merged[-1] = Block(
                    id=before.id,
                    last=block.last,
                    count=before.count + 1,
                    nodes=(*before.nodes, *block.nodes),
                    parts=before.parts,
                    is_unit=before.is_unit,
                )
            else:
                merged.append(block)
        return tuple(merged)

    def _gathered(self, items: Sequence[_Module | int]) -> list[_Module | int]:
        """Layers with weights together with the normalization and activation that follow them, where all are loose."""
        found: list[_Module | int] = []
        for item in items:
            before = found[-1] if found else None
            if isinstance(item, int) and self.graph.nodes[item].kind in FOLLOWING and before is not None:
                head = before if isinstance(before, int) else next(iter(before.items.values()))
                loose = isinstance(before, int) or before.name.endswith(LOOSE)
                if loose and isinstance(head, int) and self._follows(head, before, item):
                    name = self.graph.nodes[head].name
                    inner = {"": before} if isinstance(before, int) else before.items
                    found[-1] = _Module(name + LOOSE, {**inner, str(item): item})
                    continue
            found.append(item)
        return found

    def _follows(self, head: int, before: _Module | int, item: int) -> bool:
        last = before if isinstance(before, int) else before.nodes()[-1]
        return self.graph.nodes[head].kind in WEIGHTED and self.graph.nodes[item].inputs == (last,)

    def _dissolved(self, item: _Module | int) -> list[_Module | int]:
        if isinstance(item, int) or self._is_unit(item):
            return [item]
        inner = list(item.items.values())
        return [deeper for each in inner for deeper in self._dissolved(each)] if self._is_chain(inner) else [item]

    def _block(self, item: _Module | int) -> Block:
        if isinstance(item, int):
            name = self.graph.nodes[item].name
            return Block(id=name, last=name, count=1, nodes=((item,),))
        items = list(item.items.values())
        if len(items) == 1:  # a module around a single thing is that thing
            return self._block(items[0])
        return Block(
            id=item.name,
            last=item.name,
            count=1,
            nodes=(tuple(item.nodes()),),
            parts=self._parts(item),
            is_unit=self._is_unit(item),
        )

    def _is_unit(self, module: _Module) -> bool:
        items = list(module.items.values())
        kinds = [self.graph.nodes[item].kind for item in items if isinstance(item, int)]
        return (
            len(kinds) == len(items) <= UNIT_LAYERS
            and sum(kind in WEIGHTED for kind in kinds) <= 1
            and self._is_chain(items)
        )

    def _is_chain(self, items: Sequence[_Module | int]) -> bool:
        """Whether each item takes what the one before it gives, and nothing else."""
        before: frozenset[int] | None = None
        for item in items:
            nodes = frozenset([item] if isinstance(item, int) else item.nodes())
            if before is not None and not self._outside(nodes) <= before:
                return False
            before = nodes
        return True

    def _outside(self, nodes: Iterable[int]) -> frozenset[int]:
        """The nodes elsewhere whose outputs these take."""
        inside = frozenset(nodes)
        return frozenset(source for node in inside for source in self.graph.nodes[node].inputs) - inside

    def _continues(self, before: Block, block: Block) -> bool:
        """Whether a block is equal to the one before it and takes what that one gives."""
        last = before.nodes[-1]
        return (
            len(block.nodes[0]) > 1
            and self._outside(block.nodes[0]) <= frozenset(last)
            and self._signature(last, before.last) == self._signature(block.nodes[0], block.id)
        )

    def _signature(self, nodes: Sequence[int], name: str) -> tuple[object, ...]:
        """Equal for modules that are built alike and get tensors of the same shape."""
        place = {node: index for index, node in enumerate(nodes)}
        return tuple(
            (
                node.name.removeprefix(f"{name}."),
                node.type,
                node.out_shape,
                tuple(place.get(source, -1) for source in node.inputs),
                tuple(
                    str((node.layer or {}).get(fact)) for fact in ("kernel", "stride", "groups", "in_shape", "weights")
                ),
            )
            for node in (self.graph.nodes[index] for index in nodes)
        )
