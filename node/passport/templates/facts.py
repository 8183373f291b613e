"""What rules ask of a device's passport; the document names the device in its own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from node.passport.strict_json import Json
from node.passport.templates.extract import Extraction


@dataclass(frozen=True, slots=True)
class Verification:
    """The latest verification result of a device on a date."""

    verified_on: date
    fit: bool
    valid_until: date | None


class PassportFacts(Protocol):
    """Answers about devices, each named as the document names it: global id, alias, or another id."""

    def has_passport(self, device: str, /) -> bool:
        """Whether this node can answer about the device at all."""
        ...

    def find_verification(self, device: str, on: date, /) -> Verification | None:
        """The latest verification result of or before that day, or None."""
        ...

    def find_parameter(self, device: str, code: str, /) -> Json:
        """What the passport says under a central code, or None if it says nothing."""
        ...


class NoPassports:
    """Facts of a node that has no passport: rules that need one stay unchecked."""

    def has_passport(self, _device: str, /) -> bool:
        """No device is known."""
        return False

    def find_verification(self, _device: str, _on: date, /) -> Verification | None:
        """Nothing is known."""
        return None

    def find_parameter(self, _device: str, _code: str, /) -> Json:
        """Nothing is known."""
        return None


class ExtractedFacts:
    """Facts out of documents that are not in a passport yet, as those of one import; later documents win."""

    def __init__(self, extractions: Mapping[str, Sequence[Extraction]]) -> None:
        self._extractions = extractions

    def has_passport(self, device: str, /) -> bool:
        """Whether there is a document of this device."""
        return device in self._extractions

    def find_verification(self, device: str, on: date, /) -> Verification | None:
        """The latest `verified` or `rejected` event of the documents, with the validity that stands beside it."""
        results = [result for item in self._extractions.get(device, ()) if (result := _result(item)) is not None]
        known = [result for result in results if result.verified_on <= on]
        return max(known, key=lambda result: result.verified_on, default=None)

    def find_parameter(self, device: str, code: str, /) -> Json:
        """The value of the last document that states this code."""
        stated = [item for extraction in self._extractions.get(device, ()) for item in extraction.parameters]
        return next((item.value for item in reversed(stated) if item.code == code), None)


def _result(extraction: Extraction) -> Verification | None:
    for event in extraction.events:
        if event.code in ("verified", "rejected"):
            until = next(
                (item.value for item in extraction.parameters if item.code == "verification_valid_until"), None
            )
            valid_until = date.fromisoformat(until) if isinstance(until, str) else None
            return Verification(date.fromisoformat(event.when[:10]), event.code == "verified", valid_until)
    return None
