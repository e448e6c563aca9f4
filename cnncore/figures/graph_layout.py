"""A layered layout: boxes in rows from top to bottom, each below those it depends on, lines that pass other boxes by.

The usual four steps (Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures, 1981):
rows by the longest way, bends where a line crosses a row, an order in each row with few crossings, and positions close
to those of the neighbors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_X = 14.0
GAP_Y = 32.0
"""Between rows: room for a bend and for the shape beside the line."""
GAP_ENTRY, GAP_EXIT = 20.0, 24.0
"""Between a frame's upper edge and the first row, and between the last row and its lower edge."""
BEND_WIDTH = 8.0
_ORDER_SWEEPS = 6
_PLACE_SWEEPS = 21
_STRAIGHT, _BENDS, _LOOSE = 4.0, 8.0, 0.01
"""How much a piece of a line wants to be straight: to or from a box, beside boxes it passes, and hardly at all."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something to place.

    Attributes:
        width: In pixels.
        height: In pixels; 0 for the point where a line enters or leaves a frame.
        row: 0 for what stands first, -1 for what stands last, `None` for all between.
    """

    width: float
    height: float
    row: int | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line from the bottom of one item to the top of another, both by position.

    Attributes:
        start: Where it begins, pixels from the source's left edge.
        end: Where it ends, pixels from the target's left edge.
        net: What flows; lines with the same net and source share their bends.
        aside: Whether it may stand aside where it passes others, as a shortcut does, and moves nothing.
    """

    source: int
    target: int
    start: float
    end: float
    net: int
    aside: bool = False


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """Where everything is, in pixels from the upper left corner.

    Attributes:
        places: Left and top of each item.
        routes: The points of each line; between two points on one side of a row it bends, inside a row it is straight.
    """

    places: tuple[tuple[float, float], ...]
    routes: tuple[tuple[tuple[float, float], ...], ...]
    width: float
    height: float


@dataclass
class _Cell:
    """An item or a bend in its row."""

    width: float
    item: int | None
    x: float = 0.0


@dataclass(frozen=True)
class _Link:
    """A piece of a line between neighboring rows; `lift` and `pull` say how much it moves its upper and lower end."""

    upper: int
    lower: int
    start: float
    end: float
    lift: float
    pull: float


def arrange(items: Sequence[Item], lines: Sequence[Line]) -> Arrangement:
    """Place items so that no two overlap and no line runs through an item.

    Args:
        items: In an order in which every line leads from an earlier item to a later one.
        lines: The lines.
    """
    rows_of = _rows(items, lines)
    cells = [_Cell(item.width, index) for index, item in enumerate(items)]
    cell_rows = list(rows_of)
    links, ways = _bend(lines, cells, cell_rows)
    rows: list[list[int]] = [[] for _ in range(max(cell_rows, default=-1) + 1)]
    for cell, row in enumerate(cell_rows):
        rows[row].append(cell)
    _order(rows, links)
    _place(rows, cells, links)
    left = min((cell.x for cell in cells), default=0.0)
    for cell in cells:
        cell.x -= left
    tops, heights = _levels(rows, cells, items)
    places = tuple(
        (cells[index].x, tops[row] + (heights[row] - item.height) / 2)
        for index, (item, row) in enumerate(zip(items, rows_of, strict=True))
    )
    routes = tuple(
        _route(line, way, cells, cell_rows, tops, heights, items, places) for line, way in zip(lines, ways, strict=True)
    )
    width = max((cell.x + cell.width for cell in cells), default=0.0)
    return Arrangement(places=places, routes=routes, width=width, height=tops[-1] + heights[-1] if tops else 0.0)


def _rows(items: Sequence[Item], lines: Sequence[Line]) -> list[int]:
    """The row of each item: one below the lowest of those it depends on."""
    into: defaultdict[int, list[int]] = defaultdict(list)
    for line in lines:
        into[line.target].append(line.source)
    first = 1 if any(item.row == 0 for item in items) else 0
    rows: list[int] = []
    for index, item in enumerate(items):
        above = [rows[source] + 1 for source in into[index]]
        rows.append(0 if item.row == 0 else max([first, *above]))
    last = max((row for row, item in zip(rows, items, strict=True) if item.row != -1), default=-1) + 1
    rows = [last if item.row == -1 else row for row, item in zip(rows, items, strict=True)]
    return _sunk(rows, items, lines)


def _sunk(rows: list[int], items: Sequence[Item], lines: Sequence[Line]) -> list[int]:
    """Items that nothing holds up go down to just above what needs them, so that lines stay short."""
    out_of: defaultdict[int, list[int]] = defaultdict(list)
    held: set[int] = set()
    for line in lines:
        out_of[line.source].append(line.target)
        held.add(line.target)
    for index in reversed(range(len(items))):
        if index not in held and items[index].row is None and out_of[index]:
            rows[index] = min(rows[target] for target in out_of[index]) - 1
    return rows


def _bend(lines: Sequence[Line], cells: list[_Cell], cell_rows: list[int]) -> tuple[list[_Link], list[tuple[int, ...]]]:
    """Adds a bend for every row that a line crosses; returns the pieces, and the cells along each line."""
    bends: dict[tuple[int, int, int], int] = {}
    links: dict[tuple[int, int], _Link] = {}
    ways: list[tuple[int, ...]] = []
    last, leading = max(cell_rows, default=0), {line.source for line in lines}
    for line in lines:
        ends_early = line.target not in leading and cell_rows[line.target] < last
        way = [line.source]
        for row in range(cell_rows[line.source] + 1, cell_rows[line.target]):
            key = (line.source, line.net, row)
            if key not in bends:
                bends[key] = len(cells)
                cells.append(_Cell(BEND_WIDTH, None))
                cell_rows.append(row)
            way.append(bends[key])
        way.append(line.target)
        for upper, lower in pairwise(way):
            start = line.start if upper == line.source else BEND_WIDTH / 2
            end = line.end if lower == line.target else BEND_WIDTH / 2
            lift, pull = _wishes(cells[upper], cells[lower], aside=line.aside)
            links[upper, lower] = (
                _Link(upper, lower, start, end, _LOOSE, _LOOSE)
                if ends_early
                else _Link(upper, lower, start, end, lift, pull)
            )
        ways.append(tuple(way))
    return list(links.values()), ways


def _wishes(upper: _Cell, lower: _Cell, *, aside: bool) -> tuple[float, float]:
    """How much a piece of a line moves its upper and its lower end."""
    if upper.item is None and lower.item is None:
        return _BENDS, _BENDS
    if upper.item is not None and lower.item is not None:
        return _STRAIGHT, _STRAIGHT
    if lower.item is None:
        # From a box a line starts straight down; from a frame's edge it goes where there is room.
        return _LOOSE, _STRAIGHT if upper.width else _LOOSE
    return _LOOSE, _LOOSE if aside else _STRAIGHT


def _order(rows: list[list[int]], links: Sequence[_Link]) -> None:
    """Sort each row by where its neighbors stand, down and up again, and keep the order with the fewest crossings."""
    up: defaultdict[int, list[int]] = defaultdict(list)
    down: defaultdict[int, list[int]] = defaultdict(list)
    for link in links:
        up[link.lower].append(link.upper)
        down[link.upper].append(link.lower)
    best, fewest = [list(row) for row in rows], _crossings(rows, down)
    for sweep in range(_ORDER_SWEEPS):
        if not fewest:
            break
        near = up if sweep % 2 == 0 else down
        for row in rows if sweep % 2 == 0 else reversed(rows):
            position = {cell: place for each in rows for place, cell in enumerate(each)}
            center = {
                cell: sum(position[other] for other in near[cell]) / len(near[cell]) if near[cell] else position[cell]
                for cell in row
            }
            row.sort(key=center.__getitem__)
        count = _crossings(rows, down)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _crossings(rows: Sequence[Sequence[int]], down: dict[int, list[int]]) -> int:
    count = 0
    for upper, lower in pairwise(rows):
        position = {cell: place for place, cell in enumerate(lower)}
        ends = [position[target] for cell in upper for target in sorted(down[cell], key=position.__getitem__)]
        count += sum(before > after for index, after in enumerate(ends) for before in ends[:index])
    return count


def _place(rows: Sequence[Sequence[int]], cells: Sequence[_Cell], links: Sequence[_Link]) -> None:
    """Move each row to where its lines are straightest while its cells keep their order and distance."""
    above: defaultdict[int, list[tuple[int, float, float]]] = defaultdict(list)
    below: defaultdict[int, list[tuple[int, float, float]]] = defaultdict(list)
    outs, ins = Counter(link.upper for link in links), Counter(link.lower for link in links)
    for link in links:
        # Where lines meet or part, the middle follows the branches rather than the other way round.
        below[link.upper].append((link.lower, link.end - link.start, link.lift / ins[link.lower]))
        above[link.lower].append((link.upper, link.start - link.end, link.pull / outs[link.upper]))
    for row in rows:
        x = 0.0
        for cell in row:
            cells[cell].x = x
            x += cells[cell].width + GAP_X
    for sweep in range(_PLACE_SWEEPS):
        down = sweep % 2 == 0
        # First along long chains, one way only and downwards at last; then between all neighbors.
        both = sweep > 4
        for row in rows if down else reversed(rows):
            pulls = [
                [*(above[cell] if down or both else ()), *(below[cell] if both or not down else ())] for cell in row
            ]
            _move(row, pulls, cells)
    for cell in cells:
        cell.x = float(round(cell.x))


def _move(row: Sequence[int], pulls: Sequence[list[tuple[int, float, float]]], cells: Sequence[_Cell]) -> None:
    wishes: list[tuple[float, float]] = []
    for cell, pulled in zip(row, pulls, strict=True):
        weight = sum(pull for _, _, pull in pulled)
        wish = sum((cells[other].x + shift) * pull for other, shift, pull in pulled)
        wishes.append((wish / weight if weight else cells[cell].x, weight or 0.01))
    for cell, x in zip(row, _spread(wishes, [cells[cell].width + GAP_X for cell in row]), strict=True):
        cells[cell].x = x


def _spread(wishes: Sequence[tuple[float, float]], widths: Sequence[float]) -> list[float]:
    """The positions nearest to the wishes (position, weight) at which nothing overlaps: isotonic regression."""
    offsets = [sum(widths[:index]) for index in range(len(widths))]
    groups: list[tuple[float, float, int]] = []
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        group = (wish - offset, weight, 1)
        while groups and groups[-1][0] > group[0]:
            mean, total, size = groups.pop()
            together = total + group[1]
            group = ((mean * total + group[0] * group[1]) / together, together, size + group[2])
        groups.append(group)
    flat = [mean for mean, _, size in groups for _ in range(size)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _levels(
    rows: Sequence[Sequence[int]], cells: Sequence[_Cell], items: Sequence[Item]
) -> tuple[list[float], list[float]]:
    """Top and height of each row."""
    tops: list[float] = []
    heights: list[float] = []
    y = 0.0
    for index, row in enumerate(rows):
        height = max((items[item].height for cell in row if (item := cells[cell].item) is not None), default=0.0)
        tops.append(y)
        heights.append(height)
        ends = index + 2 == len(rows) and all(items[cell].row == -1 for cell in rows[-1] if cell < len(items))
        y += height + (GAP_ENTRY if not height else GAP_EXIT if ends else GAP_Y)
    return tops, heights


def _route(
    line: Line,
    way: Sequence[int],
    cells: Sequence[_Cell],
    cell_rows: Sequence[int],
    tops: Sequence[float],
    heights: Sequence[float],
    items: Sequence[Item],
    places: Sequence[tuple[float, float]],
) -> tuple[tuple[float, float], ...]:
    """Points: source, bottom of its row, then top and bottom of every row crossed, top of the target's row, target."""
    (left, top), (target_left, target_top) = places[line.source], places[line.target]
    row = cell_rows[line.source]
    points = [(left + line.start, top + items[line.source].height), (left + line.start, tops[row] + heights[row])]
    for cell in way[1:-1]:
        row, x = cell_rows[cell], cells[cell].x + BEND_WIDTH / 2
        points += [(x, tops[row]), (x, tops[row] + heights[row])]
    x = target_left + line.end
    return (*points, (x, tops[cell_rows[line.target]]), (x, target_top))
