"""The order graph as an SVG: layers from what is taken first to what is taken last, and a label at each arrow.

Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures" (IEEE SMC 11, 1981), for
graphs of a dozen nodes: arrows that close a ring are set aside, a node's layer is the longest way to it, the order in
a layer is that of the middle of its neighbours. What differs: a label is a box that looks for room along its arrow, and
an arrow on no cycle is left out where others together say the same. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from modelcheck.diagnostics import counted
from modelcheck.report.order_graph import COLOURS, MEANINGS, Arrow, Picture

LETTER, LINE = 6.7, 13.0
"""Width of a letter and height of a line of a label, in pixels, at 11 px monospace."""

NODE_LETTER, NODE_HEIGHT = 8.0, 30.0
LAYER_GAP, NODE_GAP, MARGIN = 120.0, 110.0, 40.0
SWEEPS = 8

Pair = tuple[str, str]
Point = tuple[float, float]


@dataclass(frozen=True)
class _Box:
    """A rectangle, by its middle."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: _Box) -> bool:
        """Tell whether the two overlap."""
        apart_x = abs(self.x - other.x) * 2 >= self.width + other.width
        apart_y = abs(self.y - other.y) * 2 >= self.height + other.height
        return not (apart_x or apart_y)


def order_svg(picture: Picture) -> str:
    """Return the picture as an SVG document."""
    arrows, left_out = _needed(picture)
    boxes = _placed(picture.nodes, [(a.source, a.target) for a in arrows])
    drawn = list(_drawn(arrows, boxes))
    labels = [box for _, _, box in drawn]
    every = [*boxes.values(), *labels]
    left = min((b.x - b.width / 2 for b in every), default=0) - MARGIN
    right = max((b.x + b.width / 2 for b in every), default=300) + MARGIN
    bottom = max((b.y + b.height / 2 for b in every), default=0) + MARGIN
    legend = list(_legend(picture, left_out))
    width = max(right - left, 2 * MARGIN + LETTER * max(len(text) + 8 for _, text in legend))
    height = bottom + LINE * 1.6 * len(legend) + 20
    view = f'viewBox="{left:.0f} -60 {width:.0f} {height + 60:.0f}"'
    size = f'width="{width:.0f}" height="{height + 60:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} {size} font-family="monospace" font-size="11">',
        f"<title>{escape(picture.title)}</title>",
        f'<rect x="{left:.0f}" y="-60" {size} fill="white"/>',
        f'<text x="{left + MARGIN:.0f}" y="-35" font-size="14" font-weight="bold">{escape(picture.title)}</text>',
        "<defs>",
        *(_marker(COLOURS[verdict]) for verdict in picture.verdicts),
        "</defs>",
        *(_path(arrow, path) for arrow, path, _ in drawn),
        *(part for arrow, _, box in drawn for part in _label(arrow, box)),
        *(part for name, box in boxes.items() for part in _node(name, box)),
        *(
            part
            for n, each in enumerate(legend)
            for part in _entry(each, left + MARGIN, bottom + n * LINE * 1.6)
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _needed(picture: Picture) -> tuple[list[Arrow], int]:
    """Return the arrows without those on no cycle that follow from others, and how many these are."""
    targets: dict[str, set[str]] = {}
    for arrow in picture.arrows:
        if arrow.source != arrow.target:
            targets.setdefault(arrow.source, set()).add(arrow.target)

    def leads(start: str, end: str, banned: Pair) -> bool:
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            for following in targets.get(here, set()) - seen:
                if (here, following) != banned:
                    seen.add(following)
                    todo.append(following)
        return end in seen

    kept = []
    for arrow in picture.arrows:
        pair = (arrow.source, arrow.target)
        if arrow.verdict is None and pair[0] != pair[1] and leads(*pair, pair):
            targets[pair[0]].discard(pair[1])
        else:
            kept.append(arrow)
    return kept, len(picture.arrows) - len(kept)


# --- where everything stands ---------------------------------------------------------------------


def _placed(nodes: tuple[str, ...], pairs: list[Pair]) -> dict[str, _Box]:
    forward = _without_rings(nodes, pairs)
    layer = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for source, target in forward:
            layer[target] = max(layer[target], layer[source] + 1)
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for node in nodes:
        rows[layer[node]].append(node)
    place = {node: float(n) for row in rows for n, node in enumerate(row)}
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            middles = {node: _middle(node, pairs, place) for node in row}
            row.sort(key=lambda node, middles=middles: (middles[node], node))  # type: ignore[misc]
            place.update({node: n - (len(row) - 1) / 2 for n, node in enumerate(row)})
    boxes = {}
    for depth, row in enumerate(rows):
        widths = [len(node) * NODE_LETTER + 24 for node in row]
        # A chain of single nodes would hide an arrow that skips one: every second layer stands aside.
        x = -(sum(widths) + NODE_GAP * 2 * (len(row) - 1)) / 2 + (NODE_GAP if depth % 2 else -NODE_GAP)
        for node, width in zip(row, widths, strict=True):
            boxes[node] = _Box(x + width / 2, depth * LAYER_GAP, width, NODE_HEIGHT)
            x += width + NODE_GAP * 2
    return boxes


def _middle(node: str, pairs: list[Pair], place: dict[str, float]) -> float:
    near = [place[b] for a, b in pairs if a == node != b] + [place[a] for a, b in pairs if b == node != a]
    return sum(near) / len(near) if near else place[node]


def _without_rings(nodes: tuple[str, ...], pairs: list[Pair]) -> list[Pair]:
    """Return the arrows but for those that close a ring: a greedy order, the most leaving first (Eades and others)."""
    order: list[str] = []
    rest = list(nodes)
    while rest:

        def surplus(node: str) -> int:
            inside = [(a, b) for a, b in pairs if a in rest and b in rest and a != b]
            return sum(a == node for a, _ in inside) - sum(b == node for _, b in inside)

        sources = [n for n in rest if not any(b == n and a in rest and a != n for a, b in pairs)]
        chosen = sources[0] if sources else max(rest, key=surplus)
        order.append(chosen)
        rest.remove(chosen)
    return [(a, b) for a, b in pairs if order.index(a) < order.index(b)]


def _drawn(arrows: list[Arrow], boxes: dict[str, _Box]) -> Iterator[tuple[Arrow, str, _Box]]:
    """Yield each arrow with its path and the box of its label, which meets no other box if there is room."""
    taken = list(boxes.values())
    pairs = {(a.source, a.target) for a in arrows}
    for number, arrow in enumerate(arrows):
        curve = _curve(arrow, boxes, number, two_way=(arrow.target, arrow.source) in pairs)
        width, height = max(map(len, arrow.lines)) * LETTER + 8, len(arrow.lines) * LINE + 4
        box = _room(curve, (width, height), taken)
        taken.append(box)
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
        yield arrow, f"M{ax:.0f},{ay:.0f} C{bx:.0f},{by:.0f} {cx:.0f},{cy:.0f} {dx:.0f},{dy:.0f}", box


Curve = tuple[Point, Point, Point, Point]


def _curve(arrow: Arrow, boxes: dict[str, _Box], number: int, *, two_way: bool) -> Curve:
    """Return the four points of the arrow's curve; one of a pair that go both ways bends to its own side."""
    a, b = boxes[arrow.source], boxes[arrow.target]
    if arrow.source == arrow.target:
        right = a.x + a.width / 2
        return (right, a.y - 8), (right + 70, a.y - 40), (right + 70, a.y + 40), (right, a.y + 8)
    if a.y == b.y:
        sign = 1 if a.x < b.x else -1
        start, end = (a.x + sign * a.width / 2, a.y), (b.x - sign * b.width / 2, b.y)
        bend = 60.0 * sign
        return start, (start[0] + 30 * sign, a.y - bend), (end[0] - 30 * sign, b.y - bend), end
    down = 1 if a.y < b.y else -1
    layers = abs(a.y - b.y) / LAYER_GAP
    side = 28.0 * down if two_way else 0.0
    start, end = (a.x + side, a.y + down * a.height / 2), (b.x + side, b.y - down * b.height / 2)
    # What passes other layers swings out, each arrow a little more than the one before.
    out = (90 * (layers - 1) + 14 * (number % 4)) * (1 if (a.x + b.x) >= 0 else -1) if layers > 1.5 else side
    reach = LAYER_GAP * 0.45 * down * max(1.0, layers * 0.5)
    return start, (start[0] + out, start[1] + reach), (end[0] + out, end[1] - reach), end


def _room(curve: Curve, size: tuple[float, float], taken: list[_Box]) -> _Box:
    """Return where the label stands: on the curve as near to its middle as there is room, else beside it."""
    width, height = size
    aside = (0.0, 0.5, -0.5, 0.8, -0.8)
    for shift in aside:
        for t in (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8):
            x, y = _at(curve, t)
            box = _Box(x + shift * width, y, width, height)
            if not any(box.meets(other) for other in taken):
                return box
    x, y = _at(curve, 0.5)
    return _Box(x, y, width, height)


def _at(curve: Curve, t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x, y = (sum(w * p[i] for w, p in zip(weights, curve, strict=True)) for i in (0, 1))
    return x, y


# --- the pieces ----------------------------------------------------------------------------------


def _marker(colour: str) -> str:
    name = f"m{colour[1:]}"
    arrow = f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/>'
    size = 'markerWidth="8" markerHeight="8" refX="8" refY="4" orient="auto" markerUnits="userSpaceOnUse"'
    return f'<marker id="{name}" {size}>{arrow}</marker>'


def _path(arrow: Arrow, path: str) -> str:
    colour = COLOURS[arrow.verdict]
    width = 2.2 if arrow.verdict is not None else 1.2
    title = f"<title>{escape(f'{arrow.source} -> {arrow.target}')}</title>"
    end = f'marker-end="url(#m{colour[1:]})"'
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" {end}>{title}</path>'


def _label(arrow: Arrow, box: _Box) -> Iterator[str]:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    size = f'width="{box.width:.0f}" height="{box.height:.0f}"'
    yield f'<rect x="{left:.0f}" y="{top:.0f}" {size} fill="white" fill-opacity="0.9"/>'
    for number, line in enumerate(arrow.lines, 1):
        y = top + number * LINE - 1
        yield f'<text x="{left + 4:.0f}" y="{y:.0f}" fill="{COLOURS[arrow.verdict]}">{escape(line)}</text>'


def _node(name: str, box: _Box) -> Iterator[str]:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    size = f'width="{box.width:.0f}" height="{box.height:.0f}" rx="6"'
    yield f'<rect x="{left:.0f}" y="{top:.0f}" {size} fill="#f5f5f5" stroke="#424242"/>'
    yield f'<text x="{box.x:.0f}" y="{box.y + 4:.0f}" font-size="13" text-anchor="middle">{escape(name)}</text>'


def _legend(picture: Picture, left_out: int) -> Iterator[tuple[str, str]]:
    yield from ((COLOURS[verdict], MEANINGS[verdict]) for verdict in picture.verdicts)
    yield "", "an arrow leads from a lock that is held to one that is asked for; R read, W write or exclusive"
    if left_out:
        yield "", f"{counted(left_out, 'arrow')} on no cycle left out: the others lead the same way"


def _entry(entry: tuple[str, str], x: float, y: float) -> Iterator[str]:
    colour, text = entry
    if colour:
        line = f'<line x1="{x:.0f}" y1="{y - 4:.0f}" x2="{x + 28:.0f}" y2="{y - 4:.0f}"'
        yield f'{line} stroke="{colour}" stroke-width="2.2"/>'
    yield f'<text x="{x + 36:.0f}" y="{y:.0f}">{escape(text)}</text>'
