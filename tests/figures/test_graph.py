"""The drawing of graphs: nothing overlaps, lines keep clear of boxes, blocks open and close."""

from __future__ import annotations

import json
import random
from itertools import combinations, pairwise

import pytest

from cnncore.catalog.profiles import complete
from cnncore.config import ModelConfig
from cnncore.figures.graph import Drawing, draw_graph
from cnncore.figures.graph_layout import Item, Line, arrange
from cnncore.figures.graph_outline import BUDGET, Block, outline
from cnncore.graph import Graph, Node
from cnncore.models.graph import graph_of

Rectangle = tuple[float, float, float, float]


def graph(name: str) -> Graph:
    return graph_of(ModelConfig(name=name), (3, 32, 32), 10)


def overlap(left: Rectangle, right: Rectangle) -> bool:
    return (
        left[0] < right[0] + right[2]
        and right[0] < left[0] + left[2]
        and left[1] < right[1] + right[3]
        and right[1] < left[1] + left[3]
    )


def inside(inner: Rectangle, outer: Rectangle) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and inner[0] + inner[2] <= outer[0] + outer[2]
        and inner[1] + inner[3] <= outer[1] + outer[3]
    )


def rectangles(drawing: Drawing) -> tuple[list[Rectangle], list[Rectangle]]:
    return [[(each.x, each.y, each.width, each.height) for each in found] for found in (drawing.boxes, drawing.frames)]  # pyright: ignore[reportReturnType]


def assert_tidy(drawing: Drawing) -> None:
    """Boxes lie side by side; frames lie inside each other or side by side, and cut no box."""
    boxes, frames = rectangles(drawing)
    whole = (0.0, 0.0, drawing.width, drawing.height)
    assert all(inside(each, whole) for each in (*boxes, *frames))
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    for one, other in combinations(frames, 2):
        assert not overlap(one, other) or inside(one, other) or inside(other, one)
    for frame, drawn in zip(frames, drawing.frames, strict=True):
        header = (*frame[:3], drawn.header)
        assert not [box for box in boxes if overlap(box, header)]
        assert all(inside(box, frame) or not overlap(box, frame) for box in boxes)


def everything(block: Block) -> list[str]:
    return [each for part in block.parts for each in (part.id, *everything(part))]


@pytest.mark.parametrize("name", ["lenet5", "googlenet_small", "resnet20", "vgg11_small"])
def test_nothing_overlaps_whatever_is_open(name: str) -> None:
    found = graph(name)
    ids = everything(outline(found).root)
    draw = random.Random(0)
    for opened in (None, (), ids, *(draw.sample(ids, len(ids) // 2) for _ in range(3))):
        assert_tidy(draw_graph(found, opened))


def test_repeated_blocks_are_drawn_once() -> None:
    what = outline(graph("resnet20"))
    stages = {part.id: part for part in what.root.parts}
    assert [(part.title, part.count) for part in stages["stage1"].parts] == [("block1 – block3", 3)]
    assert [(part.title, part.count) for part in stages["stage2"].parts] == [("block1", 1), ("block2 – block3", 2)]
    assert [frame.title for frame in draw_graph(graph("resnet20")).frames][:2] == ["stage1", "block1 – block3  ×3"]


def test_branches_stand_side_by_side() -> None:
    drawing = draw_graph(graph("googlenet_small"), ["inception3a"])
    boxes = {box.id: box for box in drawing.boxes}
    branches = ["inception3a.branch1", "inception3a.branch3.reduce", "inception3a.branch5.reduce"]
    row = [boxes[name] for name in branches]
    assert len({box.y for box in row}) == 1
    assert [box.title for box in row] == ["1×1 conv, 64", "1×1 conv, 96", "1×1 conv, 16"]
    assert boxes["inception3a.concat"].y > max(box.y for box in row)
    assert {"64×8×8", "96×8×8", "256×8×8"} <= {label.text for label in drawing.labels}


def test_shortcuts_lead_around() -> None:
    drawing = draw_graph(graph("resnet20"))
    # One for each block that is drawn: three in a row are one.
    assert sum(path.passes for path in drawing.paths) == 5
    assert not any(path.passes for path in draw_graph(graph("vgg11_small")).paths)


def test_closed_blocks_hide_what_is_in_them() -> None:
    closed = draw_graph(graph("resnet20"), ())
    assert [box.id for box in closed.boxes] == [
        "input", "stem", "stage1", "stage2", "stage3", "average", "flatten", "output",
    ]  # fmt: skip
    assert not closed.frames
    assert len(closed.paths) == 7


def test_at_first_it_is_easy_to_take_in() -> None:
    for name in ("lenet5", "googlenet_small", "resnet20"):
        assert 8 <= len(draw_graph(graph(name)).boxes) <= BUDGET


def test_unknown_blocks_are_left_aside() -> None:
    found = graph("lenet5")
    assert draw_graph(found, ["nothing", "c1", "c1.conv", ""]).opened == ("c1",)


def test_facts_of_a_layer_and_of_a_block() -> None:
    drawing = draw_graph(graph("resnet20"), ["stage1", "stage1.block1", "stem"])
    boxes = {box.id: box for box in drawing.boxes}
    facts = dict(boxes["stem.conv"].facts)
    assert (facts["Window"], facts["Takes"], facts["Leaves"]) == ("3×3", "3×32×32", "16×32×32")
    assert (facts["Parameters"], facts["MACs"], facts["FLOPs"]) == ("432", "442,368", "884,736")
    assert dict(boxes["stage1.block1.conv1"].facts)["With"] == "batch norm, ReLU"
    frame = next(frame for frame in drawing.frames if frame.id == "stage1.block1")
    assert dict(frame.facts)["Parameters"] == "3 × 4,672 = 14,016"


def test_the_browser_gets_json() -> None:
    drawing = draw_graph(graph("lenet5"))
    sent = json.loads(drawing.to_bytes())
    assert sent["boxes"][0]["id"] == "input"
    assert {box["kind"] for box in sent["boxes"]} <= set(sent["colors"])
    assert [words for words, _ in sent["legend"]] == ["convolution", "dense", "pooling", "activation", "other"]
    assert drawing.to_bytes() == draw_graph(graph("lenet5")).to_bytes()


def test_a_thousand_layers_are_a_handful_of_boxes() -> None:
    """200 equal residual blocks in a row, as in ResNet-1202's stages."""
    nodes = [Node(name="input", kind="input", type="input", inputs=(), out_shape=(3, 8, 8))]
    for number in range(200):
        before = len(nodes) - 1
        for place, part in enumerate(("first", "second")):
            inputs = (before + place,)
            nodes.append(Node(name=f"b{number}.{part}", kind="x", type="x", inputs=inputs, out_shape=(3, 8, 8)))
        inputs = (before + 2, before)
        nodes.append(Node(name=f"b{number}.add", kind="add", type="add", inputs=inputs, out_shape=(3, 8, 8)))
    drawing = draw_graph(Graph(nodes=tuple(nodes)))
    assert [frame.title for frame in drawing.frames] == ["b0 – b199  ×200"]
    assert [box.id for box in drawing.boxes] == ["input", "b0.first", "b0.second", "b0.add"]
    assert_tidy(drawing)


def random_items(seed: int) -> tuple[list[Item], list[Line]]:
    draw = random.Random(seed)
    items = [Item(width=2.0 * draw.randint(15, 80), height=draw.choice((28, 42, 200))) for _ in range(12)]
    lines = []
    for target in range(1, len(items)):
        for source in draw.sample(range(target), min(target, draw.randint(1, 3))):
            start, end = items[source].width / 2, items[target].width / 2
            lines.append(Line(source=source, target=target, start=start, end=end, net=source))
    return items, lines


@pytest.mark.parametrize("seed", range(20))
def test_layouts_of_any_graph(seed: int) -> None:
    items, lines = random_items(seed)
    found = arrange(items, lines)
    boxes = [(*place, item.width, item.height) for place, item in zip(found.places, items, strict=True)]
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    assert all(inside(box, (0, 0, found.width, found.height)) for box in boxes)
    for line, route in zip(lines, found.routes, strict=True):
        assert route[0] == (boxes[line.source][0] + line.start, boxes[line.source][1] + items[line.source].height)
        assert route[-1] == (boxes[line.target][0] + line.end, boxes[line.target][1])
        assert all(above[1] <= below[1] for above, below in pairwise(route))
        others = [box for index, box in enumerate(boxes) if index not in (line.source, line.target)]
        # Straight inside rows; between rows, where it bends, there are no boxes.
        for (x, top), (_, bottom) in zip(route[::2], route[1::2], strict=True):
            assert not [box for box in others if overlap((x, top, 0.1, bottom - top), box)]


def test_loose_layers_are_one_box_with_what_follows() -> None:
    """As in networks whose normalization stands beside the convolution and not in a module with it."""
    layer = {"name": "", "kind": "", "in_shape": (3, 8, 8), "out_shape": (4, 8, 8), "kernel": (3, 3), "stride": (1, 1)}
    layer |= {"padding": (1, 1)}
    names = [("conv1", "convolution"), ("bn1", "normalization"), ("act1", "activation"), ("act2", "activation")]
    nodes = [Node(name="input", kind="input", type="input", inputs=(), out_shape=(3, 8, 8))]
    nodes += [
        Node(name=name, kind=kind, type=kind, inputs=(place,), out_shape=(4, 8, 8), layer=complete(layer))
        for place, (name, kind) in enumerate([*names, ("pool", "pooling"), ("act3", "activation")])
    ]
    found = Graph(nodes=tuple(nodes))
    drawing = draw_graph(found)
    assert [(box.id, box.note) for box in drawing.boxes] == [
        ("input", ""), ("conv1+", "conv1"), ("pool", "pool"), ("act3", "act3"),
    ]  # fmt: skip
    opened = draw_graph(found, ["conv1+"])
    assert [box.id for box in opened.boxes][1:5] == ["conv1", "bn1", "act1", "act2"]
    assert_tidy(opened)
