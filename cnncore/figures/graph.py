"""The drawing of a network's graph as plain data: boxes, frames around open blocks, lines and shapes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from cnncore.figures import theme
from cnncore.figures.graph_layout import Item, Line, arrange
from cnncore.figures.graph_outline import Block, Outline, outline
from cnncore.figures.graph_words import Facts, box_facts, main_node, node_title, times
from cnncore.graph import Graph

COLORS = {
    "convolution": theme.TRAIN,
    "dense": theme.VALIDATION,
    "pooling": theme.TEST,
    "normalization": "#8B5CF6",
    "activation": theme.NEUTRAL,
    "join": theme.WRONG,
    "other": "#B08900",
    "block": theme.NEUTRAL,
}
"""Color of each group of kinds; every box also says in words what it is."""
LEGEND = {
    "convolution": "convolution",
    "dense": "dense",
    "pooling": "pooling",
    "normalization": "normalization",
    "activation": "activation",
    "join": "sum, stack, shortcut",
    "other": "other",
}
JOINS = ("add", "concat", "multiply", "shortcut")

_TITLE_PX, _NOTE_PX = 6.9, 5.9
"""Mean width of a letter in pixels at the sizes in which titles (12 px) and notes (10.5 px) are set."""
_BOX_HEIGHT, _ROUND, _PILL_HEIGHT = 42.0, 30.0, 28.0
_HEADER, _PADDING, _MIN_WIDTH, _OPEN_PX = 26.0, 14.0, 80.0, 20.0
_MARGIN = 8.0


@dataclass(frozen=True, kw_only=True)
class Box:
    """A layer, a join or a closed block.

    Attributes:
        form: `box`, `pill` or `round`.
        title: What it does.
        note: What it is called; for a closed block, how much is in it.
        kind: Key of COLORS.
        strip: Keys of COLORS of all layers inside, in their order.
        opens: Whether it can be opened.
        label: What a screen reader says.
    """

    id: str
    x: float
    y: float
    width: float
    height: float
    form: str
    title: str
    note: str
    kind: str
    strip: tuple[str, ...]
    opens: bool
    label: str
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class Frame:
    """An open block: a header with its name over its inside."""

    id: str
    x: float
    y: float
    width: float
    height: float
    header: float
    title: str
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class Path:
    """A line; `passes` if it is a shortcut: past other boxes, into a sum."""

    d: str
    passes: bool
    arrow: bool


@dataclass(frozen=True, kw_only=True)
class Label:
    """The shape of what flows, beside its line."""

    x: float
    y: float
    text: str


@dataclass
class Drawing:
    """The drawing; sizes in pixels at full scale.

    Attributes:
        opened: Ids of the open blocks.
        legend: Names of the colors that occur, with the colors.
    """

    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list[Box])
    frames: list[Frame] = field(default_factory=list[Frame])
    paths: list[Path] = field(default_factory=list[Path])
    labels: list[Label] = field(default_factory=list[Label])
    opened: tuple[str, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()

    def to_bytes(self) -> bytes:
        """JSON for the browser; the same drawing gives the same bytes."""
        return json.dumps({**asdict(self), "colors": COLORS}, separators=(",", ":")).encode()


def draw_graph(graph: Graph, opened: Iterable[str] | None = None) -> Drawing:
    """Draws a graph.

    Args:
        graph: The network's graph.
        opened: Ids of the blocks that are open; a selection that is easy to take in if not given.
    """
    what = outline(graph, opened)
    drawing = Drawing(opened=tuple(sorted(what.open)))
    part = _Drawer(graph, what).part(what.root)
    part.put(drawing, _MARGIN, _MARGIN)
    drawing.width, drawing.height = part.width + 2 * _MARGIN, part.height + 2 * _MARGIN
    kinds = {kind for box in drawing.boxes for kind in (box.kind, *box.strip)}
    drawing.legend = tuple((words, COLORS[kind]) for kind, words in LEGEND.items() if kind in kinds)
    return drawing


_Points = list[tuple[float, float]]


@dataclass
class _Part:
    """A block laid out by itself, its upper left corner at (0, 0).

    Attributes:
        lines: Points, whether an arrow ends it, whether it is a shortcut.
        entries: Where what flows in enters at the top, by the box it comes from; in the middle where not given.
        exits: Where what flows out leaves at the bottom, by the box it comes from.
    """

    width: float
    height: float
    box: Box | None = None
    frame: Frame | None = None
    inner: list[tuple[_Part, float, float]] = field(default_factory=list["tuple[_Part, float, float]"])
    lines: list[tuple[_Points, bool, bool]] = field(default_factory=list["tuple[_Points, bool, bool]"])
    labels: list[Label] = field(default_factory=list[Label])
    entries: dict[str, float] = field(default_factory=dict[str, float])
    exits: dict[str, float] = field(default_factory=dict[str, float])

    def put(self, drawing: Drawing, x: float, y: float) -> None:
        """Adds everything to a drawing, moved to (x, y)."""
        if self.box is not None:
            drawing.boxes.append(Box(**{**vars(self.box), "x": round(x, 1), "y": round(y, 1)}))
        if self.frame is not None:
            drawing.frames.append(Frame(**{**vars(self.frame), "x": round(x, 1), "y": round(y, 1)}))
        for points, arrow, passes in self.lines:
            d = _curve([(px + x, py + y) for px, py in points])
            drawing.paths.append(Path(d=d, passes=passes, arrow=arrow))
        for label in self.labels:
            drawing.labels.append(Label(x=round(label.x + x, 1), y=round(label.y + y, 1), text=label.text))
        for part, left, top in self.inner:
            part.put(drawing, x + left, y + top)


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A path through the points: straight inside rows, bending between them."""
    (x, y), *rest = points
    d = f"M{x:.1f} {y:.1f}"
    for index, (to_x, to_y) in enumerate(rest):
        if index % 2 == 0 or abs(to_x - x) < 0.05:
            d += f"L{to_x:.1f} {to_y:.1f}"
        else:
            middle = (y + to_y) / 2
            d += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return d


class _Drawer:
    """Lays out the blocks of an outline, from the inside out."""

    def __init__(self, graph: Graph, what: Outline) -> None:
        self.graph = graph
        self.what = what
        self._inside: dict[str, frozenset[str]] = {}
        self._note_boxes(what.root)

    def _is_open(self, block: Block) -> bool:
        return bool(block.parts) and (not block.id or block.id in self.what.open)

    def _note_boxes(self, block: Block) -> frozenset[str]:
        """The ids of the boxes in which a block is drawn."""
        if self._is_open(block):
            found = frozenset[str]().union(*(self._note_boxes(part) for part in block.parts))
        else:
            found = frozenset([block.id])
        self._inside[block.id] = found
        return found

    def part(self, block: Block) -> _Part:
        """The layout of a block."""
        return self._open(block) if self._is_open(block) else self._closed(block)

    def _open(self, block: Block) -> _Part:
        inside = self._inside[block.id]
        edges = [edge for edge in self.what.edges if edge[0] in inside or edge[1] in inside]
        entering = list(dict.fromkeys(source for source, _ in edges if source not in inside))
        leaving = list(dict.fromkeys(source for source, target in edges if target not in inside))
        parts = [self.part(part) for part in block.parts]
        items = [Item(width=0, height=0, row=0) for _ in entering]
        items += [Item(width=part.width, height=part.height) for part in parts]
        items += [Item(width=0, height=0, row=-1) for _ in leaving]
        first = len(entering)
        place = {box: first + index for index, part in enumerate(block.parts) for box in self._inside[part.id]}
        ends = {source: first + len(parts) + index for index, source in enumerate(leaving)}
        lines: dict[Line, str] = {}
        for source, target in edges:
            tail = place.get(source, entering.index(source) if source in entering else -1)
            head = place.get(target, ends.get(source, -1))
            if tail != head:
                start = parts[tail - first].exits.get(source, 0) if tail >= first else 0.0
                end = parts[head - first].entries.get(source) if head < first + len(parts) else 0.0
                box = parts[head - first].box if head < first + len(parts) else None
                line = Line(
                    source=tail,
                    target=head,
                    start=start,
                    end=end or 0.0,
                    net=self._number(source),
                    aside=box is not None and box.form == "round",
                )
                lines.setdefault(line, source)
        return self._framed(block, parts, items, lines, entering, leaving)

    def _number(self, box: str) -> int:
        return next(index for index, edge in enumerate(self.what.edges) if edge[0] == box)

    def _framed(
        self,
        block: Block,
        parts: list[_Part],
        items: list[Item],
        lines: dict[Line, str],
        entering: list[str],
        leaving: list[str],
    ) -> _Part:
        found = arrange(items, list(lines))
        framed = bool(block.id)
        title = f"{block.title}  ×{block.count}" if block.count > 1 else block.title
        side, top = (_PADDING, _HEADER) if framed else (0.0, 0.0)
        width = max(found.width + 2 * side, len(title) * _TITLE_PX + 2 * _OPEN_PX + 8 if framed else 0.0)
        width = 2.0 * round(width / 2)
        left = round((width - found.width) / 2)
        top += 0.0 if entering or not framed else _PADDING
        whole = _Part(width=width, height=top + found.height + (0.0 if leaving or not framed else _PADDING))
        first, last = len(entering), len(entering) + len(parts)
        whole.inner = [(part, left + x, top + y) for part, (x, y) in zip(parts, found.places[first:last], strict=True)]
        whole.entries = {source: left + found.places[index][0] for index, source in enumerate(entering)}
        whole.exits = {source: left + found.places[last + index][0] for index, source in enumerate(leaving)}
        labeled: set[str] = set()
        for (line, source), route in zip(lines.items(), found.routes, strict=True):
            points = [(left + x, top + y) for x, y in route]
            arrives = line.target < last
            whole.lines.append((points, arrives, line.aside and len(points) > 4))
            if source not in labeled and line.source >= first and parts[line.source - first].box is not None:
                labeled.add(source)
                whole.labels.append(Label(x=points[0][0] + 5, y=points[0][1] + 14, text=self._shape(source)))
        if framed:
            whole.frame = Frame(
                id=block.id,
                x=0,
                y=0,
                width=round(width, 1),
                height=round(whole.height, 1),
                header=_HEADER,
                title=title,
                facts=box_facts(self.graph, block),
            )
        return whole

    def _shape(self, box: str) -> str:
        """The shape of what leaves a box."""
        node = next(self.what.sources[edge] for edge in self.what.edges if edge[0] == box)
        return times(self.graph.nodes[node].out_shape)

    def _closed(self, block: Block) -> _Part:
        box = self._box(block)
        middle = box.width / 2
        entries = {source: middle for source, target in self.what.edges if target == block.id}
        return _Part(width=box.width, height=box.height, box=box, entries=entries, exits={block.id: middle})

    def _box(self, block: Block) -> Box:
        nodes = [self.graph.nodes[index] for index in block.nodes[0]]
        main = main_node(self.graph, block)
        single = len(nodes) == 1 or block.is_unit
        title = node_title(main) if single else block.title
        note = block.title if single else f"{sum(node.layer is not None for node in nodes)} layers"
        if block.count > 1:
            title = f"{title}  ×{block.count}"
        kind = group_of(main.kind) if single and main.kind != "input" else "block"
        form = "box"
        if len(nodes) == 1 and main.kind in ("add", "multiply"):
            form, note = "round", ""
        elif main.kind in ("input", "concat"):
            form, note = "pill", ""
        note = "" if note == title else note
        width, height = _size(form, title, note)
        return Box(
            id=block.id,
            x=0,
            y=0,
            width=width,
            height=height,
            form=form,
            title=title,
            note=note,
            kind=kind,
            strip=_strip([group_of(node.kind) for node in nodes]) if len(nodes) > 1 else (),
            opens=block.can_open,
            label=f"{title}, {note or block.title}, gives {times(nodes[-1].out_shape)}",
            facts=box_facts(self.graph, block),
        )


def group_of(kind: str) -> str:
    """The key of COLORS for a kind of layer."""
    return kind if kind in COLORS else "join" if kind in JOINS else "other"


def _strip(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds in a box, without what repeats in long blocks."""
    return tuple(kinds) if len(kinds) <= 6 else tuple(dict.fromkeys(kinds))


def _size(form: str, title: str, note: str) -> tuple[float, float]:
    """Whole pixels, of which half are whole too: lines between middles are straight."""
    if form == "round":
        return _ROUND, _ROUND
    width = max(len(title) * _TITLE_PX, len(note) * _NOTE_PX, _MIN_WIDTH - 18) + 18
    return 2.0 * round(width / 2), _BOX_HEIGHT if form == "box" and note else _PILL_HEIGHT
