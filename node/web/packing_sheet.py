"""A packing list as a document for paper: who sends what to whom, what is in which box, and how many of each type."""

from node.exchange.sheets import Grid, Pairs, Sheet
from node.passport.ids import SubjectId, format_device_id
from node.services.packing import PaperList
from node.web.columns import moment_text
from node.web.passport_sheet import NOTHING
from node.web.sheet_words import sheet_words


def packing_sheet(paper: PaperList, seller: str, buyer: str, made_us: int, language: str) -> Sheet:
    """The document of a volume of a list, between a seller and a buyer by their names."""

    def say(english: str) -> str:
        return sheet_words(english, language)

    shipment = paper.shipment
    whole = sum(count for _, count in paper.totals)
    kind, _, digits = shipment.outside.partition(":")
    number = f"{say(kind.upper())} {digits}" if kind else ""
    papers = [
        (say("Date"), shipment.date, ""),
        (say("From whom"), seller, ""),
        (say("To whom"), buyer, number),
        (say("Devices"), str(whole), ""),
    ]
    rows = [
        (str(n), line.name or NOTHING, line.serial or NOTHING, line.place, format_device_id(SubjectId(device)))
        for n, (device, line) in enumerate(paper.rows, paper.first)
    ]
    header = (say("No."), say("Designation"), say("Serial"), say("Place"), say("Device id"))
    totals = Grid(
        say("Totals"),
        (say("Designation"), say("How many")),
        [(name or NOTHING, str(n)) for name, n in paper.totals],
        (4, 1),
    )
    volume = say("Volume {} of {}").format(paper.n, paper.of)
    return Sheet(
        language,
        say("Packing list"),
        shipment.number,
        [volume] if paper.of > 1 else [],
        format_device_id(SubjectId(shipment.subject)),
        [Pairs("", papers), totals, Grid(say("Devices"), header, rows, (1, 4, 3, 2, 6))],
        f"{say('Packing list')} {shipment.number} · {seller} · {moment_text(made_us)} UTC",
        say("page {} of {}"),
        made_us,
    )
