"""A maker's production files of any length, and the maker's node that can import them."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.demo.files import HEADER, JOIN_EUI, MAKER, MARK, PRODUCTS, YEAR, make_line
from node.demo.processes import NodeProcess
from node.exchange.tables import write_csv
from tests.nodes import ALONE, act, ask

PRODUCT = PRODUCTS[0]
SERIAL_AT, DEV_EUI_AT, KEY_AT, BOX_AT = map(HEADER.index, ("Заводской номер", "DevEUI", "AppKey", "Код коробки"))

Rows = list[list[str]]


def meter_rows(count: int, seed: int) -> Rows:
    """Rows of a production file that are in order, none of them like another."""
    source = random.Random(seed)
    numbers = source.sample(range(10 ** (PRODUCT.width - 1)), count)
    return [
        [
            PRODUCT.local,
            MARK,
            PRODUCT.designation,
            PRODUCT.execution,
            f"{number:0{PRODUCT.width}d}",
            str(YEAR),
            f"02C0DE00{number:08X}",
            JOIN_EUI,
            source.randbytes(16).hex().upper(),
            PRODUCT.firmware,
            "C",
            "П-1",
            f"02.03.{YEAR}",
            source.randbytes(5).hex().upper(),
        ]
        for number in numbers
    ]


def production_file(rows: Rows) -> bytes:
    """The rows as a maker's CSV."""
    return write_csv(HEADER, rows)


def start_maker(folder: Path, port: int = 0, settings: Mapping[str, str] | None = None) -> NodeProcess:
    """A running maker, anchor of its own federation, whose serial line counts; on any port, or always on that one."""
    node = NodeProcess(folder.name, folder, port, {**ALONE, **(settings or {})})
    node.init(name=MAKER, kind="maker")
    node.start()
    org = ask(node, "/node")["org"]
    act(node, "/federation", {"name": "Демо"})
    act(node, "/attestations", {"org": org, "what": "maker"})
    act(node, "/lines", {"record": line_record(org)})
    return node


def line_record(org: str) -> dict[str, Any]:  # Any: JSON
    """The serial line of those meters, to be published by an organisation (in hex)."""
    line = make_line(PRODUCT, "00" * 16, org).model_dump(mode="json", exclude_none=True)
    return {key: value for key, value in line.items() if key != "line"}
