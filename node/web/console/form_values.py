"""What forms of pages send where the API takes lists: several values in one field of text, and fields left empty."""

from typing import Any

from pydantic import BaseModel, model_validator

SPLIT = ("anchors", "ids", "devices", "things", "types", "networks")


class Lines(BaseModel):
    """A model of the API as a form fills it in: its lists are parted by spaces and lines, what is blank is left out."""

    @model_validator(mode="before")
    @classmethod
    def _take_form(cls, values: Any) -> Any:  # Any: what the form sent
        if not isinstance(values, dict):
            return values
        filled = {name: value for name, value in values.items() if value not in ("", [""])}
        return {name: _split(value) if name in SPLIT else value for name, value in filled.items()}


def _split(value: Any) -> list[str]:  # Any: one text of a form, or several
    texts = value if isinstance(value, list) else [value]
    return [part for text in texts for part in str(text).replace(",", " ").split()]
