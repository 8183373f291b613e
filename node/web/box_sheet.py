"""The sheet that lies in a box: its code to be scanned and to be typed, and the list of what is inside."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.exchange.sheets import Grid, Sheet
from node.passport.ids import groups_of
from node.web.columns import moment_text
from node.web.sheet_words import sheet_words


@dataclass(frozen=True, slots=True)
class Content:
    """What a sheet says: number and code of the box, the text to be scanned, what is inside as (title, device id)."""

    number: str
    code: str
    scan: str
    devices: Sequence[tuple[str, str]]


def box_sheet(content: Content, issuer: str, made_us: int, language: str) -> Sheet:
    """The document of one box."""

    def say(text: str) -> str:
        return sheet_words(text, language)

    rows = [(str(n), title, device) for n, (title, device) in enumerate(content.devices, 1)]
    return Sheet(
        language,
        f"{say('Box')} {content.number} · {issuer}",
        " ".join(groups_of(content.code)),
        [
            say("Who has this code may claim the box."),
            say("In your node: Shipments, Claim a box; scan the code,"),
            say("or type it with the number of any device below."),
        ],
        content.scan,
        [Grid(say("In the box"), ("№", say("Device"), say("Device id")), rows, (8, 52, 40))],
        f"{say('Box')} {content.number} · {issuer} · {moment_text(made_us)} UTC",
        say("page {} of {}"),
        made_us,
    )
