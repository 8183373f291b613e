"""The picture of the map: this node in the middle, whoever it exchanges with at both sides, arrows between them.

It is made of shapes and classes alone: the page's policy lets no style through. What it shows stands in the table below
it too, and each part says itself to whoever reads it by ear.
"""

from collections.abc import Sequence

from markupsafe import Markup, escape

from node.services.flows import Direction, Flow
from node.web.flow_words import DIRECTIONS, PARTIES, flow_trouble
from node.web.passport_words import words

WIDTH, BOX, ROW, TOP, HEIGHT = 360, 132, 44, 44, 34
SPINE = WIDTH // 2
LETTERS = 17
MOST = 40


def flow_picture(flows: Sequence[Flow], name: str, title: str, language: str) -> Markup:
    """An SVG of the first forty flows; `name` is this node's, `title` what the picture is."""
    shown = flows[:MOST]
    height = TOP + (len(shown) + 1) // 2 * ROW + 8
    parts = [_spine(name, height), *(_flow(flow, at, language) for at, flow in enumerate(shown))]
    return Markup(
        '<svg class="flow-map" role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        "<title>{title}</title>{parts}</svg>"
    ).format(width=WIDTH, height=height, title=title, parts=Markup().join(parts))


def flow_state(flow: Flow) -> str:
    """How a flow is coloured: it fails, lags, works, or nothing was exchanged yet."""
    if flow.trouble:
        return "bad"
    if flow.to_take or flow.to_give:
        return "warn"
    return "good" if flow.last_us is not None else "idle"


def _spine(name: str, height: int) -> Markup:
    return Markup(
        '<g class="own"><path d="M{x} 30V{end}"/><rect x="{left}" y="4" width="200" height="28" rx="8"/>'
        '<text x="{x}" y="22" text-anchor="middle">{name}</text></g>'
    ).format(x=SPINE, end=height - 8, left=SPINE - 100, name=_short(name, 2 * LETTERS - 6))


def _flow(flow: Flow, at: int, language: str) -> Markup:
    """A box at the left or the right of the spine with its arrow."""
    is_left, y = at % 2 == 0, TOP + at // 2 * ROW
    left = 2 if is_left else WIDTH - BOX - 2
    near, far = (left + BOX, SPINE) if is_left else (left, SPINE)
    return Markup(
        '<g class="flow {state}"><title>{told}</title>'
        '<rect x="{left}" y="{y}" width="{box}" height="{height}" rx="7"/>'
        '<text class="name" x="{text}" y="{name_y}">{name}</text>'
        '<text class="what" x="{text}" y="{what_y}">{what}</text>'
        '<path d="M{near} {middle}H{far}"/>{heads}</g>'
    ).format(
        state=flow_state(flow), told=_told(flow, language), left=left, y=y, box=BOX, height=HEIGHT, text=left + 8,
        name_y=y + 15, what_y=y + 28, name=_short(flow.name, LETTERS), what=_short(_below(flow, language), LETTERS + 4),
        near=near, far=far, middle=y + HEIGHT // 2, heads=_heads(flow.direction, near, far, y + HEIGHT // 2),
    )  # fmt: skip


def _heads(direction: Direction, near: int, far: int, y: int) -> Markup:
    """Heads of the arrow: at the spine what comes to us, at the box what goes from us."""
    step = 6 if far > near else -6
    ends = {Direction.IN: [(far, -step)], Direction.OUT: [(near, step)], Direction.BOTH: [(far, -step), (near, step)]}
    return Markup().join(
        Markup('<path class="head" d="M{x} {y}l{back} -4v8z"/>').format(x=x, y=y, back=back)
        for x, back in ends[direction]
    )


def _below(flow: Flow, language: str) -> str:
    if flow.trouble:
        return flow_trouble(flow.trouble, language)
    waits = [f"{sign}{count}" for sign, count in (("↓", flow.to_take), ("↑", flow.to_give)) if count]
    return " ".join(waits) or words(PARTIES, flow.party, language)


def _told(flow: Flow, language: str) -> str:
    """All of a flow in one sentence."""
    told = [words(PARTIES, flow.party, language), flow.name, words(DIRECTIONS, flow.direction, language)]
    return ", ".join(told + ([flow_trouble(flow.trouble, language)] if flow.trouble else []))


def _short(text: str, most: int) -> Markup:
    return escape(text if len(text) <= most else text[: most - 1] + "…")
