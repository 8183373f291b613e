"""An act of repair that workshop and customer both sign, and the procedure that demands it."""

import json
from typing import Any

Json = Any  # Any: JSON
ORG = {
    "type": "object",
    "required": ["org"],
    "additionalProperties": False,
    "properties": {"org": {"type": "string", "maxLength": 64, "title": "Организация"}},
}
SEAL = {
    "type": "object",
    "required": ["no", "place"],
    "additionalProperties": False,
    "properties": {
        "no": {"type": "string", "minLength": 1, "maxLength": 64},
        "place": {"type": "string", "maxLength": 128},
    },
}
DEVICE = {
    "type": "object",
    "required": ["gid", "serial"],
    "additionalProperties": False,
    "properties": {
        "gid": {"type": "string", "maxLength": 128, "x-epd-bind": "device.gid"},
        "serial": {"type": "string", "maxLength": 50, "title": "Заводской №", "x-epd-bind": "device.serial"},
    },
}
FIELDS = {
    "act_no": {"type": "string", "minLength": 1, "maxLength": 64, "title": "Номер акта"},
    "date": {"type": "string", "format": "date"},
    "device": DEVICE,
    "executor": ORG,
    "customer": ORG,
    "work": {"type": "string", "minLength": 1, "maxLength": 1024, "title": "Что сделано"},
    "seals": {"type": "array", "minItems": 1, "maxItems": 8, "title": "Пломбы", "items": SEAL},
}
SECTIONS = (
    ("Прибор", ["/device/gid", "/device/serial"]),
    ("Акт", ["/act_no", "/date", "/executor/org", "/customer/org", "/work"]),
    ("Пломбы", ["/seals/*/no", "/seals/*/place"]),
)
ABOUT = {
    "name": "repair-act",
    "version": "1.0.0",
    "publisher": "org:svc",
    "process": "repair",
    "title": {"ru": "Акт ремонта", "en": "Repair act"},
    "extract": [],
    "rules": [],
    "parties": [
        {
            "role": "process_executor",
            "signs": True,
            "title": {"ru": "Мастерская", "en": "Workshop"},
            "organisation": "/executor/org",
        },
        {
            "role": "process_owner",
            "signs": True,
            "title": {"ru": "Заказчик", "en": "Customer"},
            "organisation": "/customer/org",
        },
    ],
    "form": {"sections": [{"title": {"ru": title}, "fields": fields} for title, fields in SECTIONS]},
    "print": {
        "blocks": [
            {"kind": "fields", "title": {"ru": "Акт ремонта"}, "fields": ["/act_no", "/date", "/work"]},
            {"kind": "table", "title": {"ru": "Пломбы"}, "each": "/seals", "columns": ["no", "place"]},
            {"kind": "signatures", "title": {"ru": "Подписи"}},
        ]
    },
}


def repair_act() -> bytes:
    """The template of the act."""
    template = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:epd:template:org:svc:repair-act:1.0.0",
        "title": "Акт ремонта",
        "type": "object",
        "required": list(FIELDS),
        "additionalProperties": False,
        "properties": FIELDS,
        "x-epd-template": ABOUT,
    }
    return json.dumps(template, ensure_ascii=False).encode()


def with_act(repair: Json) -> Json:
    """A next version of a repair: its parts are replaced by an act."""
    steps = [
        {**step, "protocol": {"name": ABOUT["name"]}} if step["code"] == "replace_parts" else step
        for step in repair["steps"]
    ]
    return {**repair, "version": "2", "steps": steps}
