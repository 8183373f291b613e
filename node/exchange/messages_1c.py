"""The message by which 1C tells of its items, devices and documents: one contract, the same for every configuration.

A message has an id (a GUID) and a number that grows within the sending system. An object of 1C is named by the GUID
that 1C gives it, and every message tells the whole of each object that it speaks of. `docs/1c.md` tells it to people.
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from node.passport.canonical import dump_json
from node.passport.unseen import VISIBLE

Guid = Annotated[
    str,
    StringConstraints(
        to_lower=True, pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
    ),
]
System = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=VISIBLE)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512, pattern=VISIBLE)]
MOST = 1_000
FIRST_DAY = date(1970, 1, 1)  # what is signed tells no earlier time


def _check_day(text: str) -> str:
    if date.fromisoformat(text) < FIRST_DAY:
        raise ValueError(f"a day is not before {FIRST_DAY}")
    return text


Day = Annotated[
    str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"), AfterValidator(_check_day)
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(_Part):
    """An item of the nomenclature that is a type of device: its own code here is the GUID."""

    id: Guid
    name: Name = Field(description="Наименование")
    article: Text | None = Field(default=None, description="Артикул, as people read it beside the name.")
    central: Text | None = Field(default=None, description="The central code of the type, where 1C knows it.")

    @property
    def shown(self) -> str:
        """The name with the article."""
        return f"{self.name} ({self.article})" if self.article else self.name


class Device(_Part):
    """One device with a serial: what a series or a serial number of 1C stands for."""

    id: Guid
    item: Guid = Field(description="The item that it is one of.")
    serial: Text
    designation: Text | None = Field(default=None, description="What the plate prints; else that of the type.")
    mark: Text | None = None
    year: Annotated[str, StringConstraints(pattern=r"^(19|20)\d\d$")] | None = None
    made_on: Day | None = None
    batch: Text | None = None


class Document(_Part):
    """A document of 1C about devices, of which this node keeps the number alone: a sale, a production report."""

    id: Guid
    title: Text = Field(description="As `Реализация товаров и услуг`.")
    number: Text
    date: Day
    devices: Annotated[list[Guid], Field(min_length=1, max_length=MOST)]


class _Envelope(_Part):
    id: Guid = Field(description="Of the message; the same message again changes nothing.")
    number: Annotated[int, Field(ge=1, lt=2**53)] = Field(description="Grows with every message of the system.")
    system: System = Field(description="The sending base, as `ut-main`.")
    created: AwareDatetime


class ItemsMessage(_Envelope):
    """Items of the nomenclature."""

    kind: Literal["items"]
    items: Annotated[list[Item], Field(min_length=1, max_length=MOST)]


class DevicesMessage(_Envelope):
    """Devices that were made or taken in."""

    kind: Literal["devices"]
    devices: Annotated[list[Device], Field(min_length=1, max_length=MOST)]


class DocumentsMessage(_Envelope):
    """Documents about devices."""

    kind: Literal["documents"]
    documents: Annotated[list[Document], Field(min_length=1, max_length=MOST)]


class Message(BaseModel):
    """A message of 1C: one of three kinds, each naming an object once."""

    message: Annotated[ItemsMessage | DevicesMessage | DocumentsMessage, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _check_once(self) -> "Message":
        """An object stands in a message once."""
        ids = [part.id for part in self.objects]
        if len(ids) != len(set(ids)):
            raise ValueError("one object stands twice in the message")
        return self

    @property
    def objects(self) -> Sequence[Item | Device | Document]:
        """What it tells of."""
        told = self.message
        if isinstance(told, ItemsMessage):
            return told.items
        return told.devices if isinstance(told, DevicesMessage) else told.documents

    @property
    def hash(self) -> bytes:
        """Of all that the message says."""
        return hash_of(self.message)


def hash_of(part: BaseModel) -> bytes:
    """A hash of what a part of a message says."""
    return hashlib.sha256(dump_json(part.model_dump(mode="json"))).digest()
