"""Who is likely to know a device by what stands on it, whatever the directory says: the route hint."""

from urllib.parse import urlsplit

from node.passport.identifiers import DEV_EUI, Identifier, domain_of
from node.passport.lines import SerialLine
from node.passport.world import World

MOST_HINTED = 8


def hinted(text: str, identifiers: tuple[Identifier, ...], world: World) -> tuple[bytes, ...]:
    """The organisations of the label's domain, and the attested makers of the line or of the DevEUI's prefix."""
    domain = domain_of(text)
    at_domain = [org for org, card in world.cards.items() if domain and card.url and is_of_domain(card.url, domain)]
    eui = next((one.value for one in identifiers if one.scheme == DEV_EUI), None)
    lines = world.lines.find_by_dev_eui(eui) if eui else _lines_of(text, world)
    makers = sorted({maker for line in lines for maker in world.makers_of(line.line)})
    return tuple(dict.fromkeys([*sorted(at_domain), *makers]))[:MOST_HINTED]


def is_of_domain(url: str, domain: str) -> bool:
    """Whether an address is at a domain, or at a name below the same one, as `node.zavod.ru` is for `zavod.ru`."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return False
    return bool(host) and (host == domain or host.endswith("." + domain))


def _lines_of(text: str, world: World) -> tuple[SerialLine, ...]:
    plate = world.lines.read_typed(text)
    line = world.lines.resolve(plate) if plate else None
    return (line,) if isinstance(line, SerialLine) else ()
