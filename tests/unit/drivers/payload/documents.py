"""Documents for tests: the head that every document has, and a field list."""

from decimal import Decimal

from drivers.payload.schema import Program, parse_schema
from drivers.payload.values import Given, Value


def program(fields: str, head: str = "endian: big") -> Program:
    """The program of a field list."""
    lines = "\n".join(f"  {line}" for line in fields.strip("\n").splitlines())
    return parse_schema(f"name: test\n{head}\nfields:\n{lines}\n".encode())


def read(fields: str, payload: str, head: str = "endian: big") -> dict[str, Value]:
    """What a payload in hex says under a field list."""
    return program(fields, head).decode(1, bytes.fromhex(payload)).values


def write(fields: str, values: dict[str, Given], head: str = "endian: big") -> str:
    """The payload of values, in hex."""
    return program(fields, head).encode(1, values).hex()


def dec(text: str) -> Decimal:
    """A decimal, short."""
    return Decimal(text)
