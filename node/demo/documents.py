"""Documents of the demo: the maker's bench template, the lab's template, and one verification for each meter."""

import json
from importlib import resources
from typing import Any

MONTHS = 72
FLOWS = ((0.02, 0.005, 5.0), (0.032, 0.01, 2.0), (1.6, 0.1, 2.0))


def verification_template() -> bytes:
    """The lab's verification template, as it publishes it."""
    return (resources.files("node.demo") / "data" / "verification.schema.json").read_bytes()


def bench_template() -> bytes:
    """The maker's flow-bench template, as it publishes it."""
    return (resources.files("node.demo") / "data" / "flow-bench.schema.json").read_bytes()


def verification_document(device: str, title: str, number: int, *, wrong: bool = False) -> bytes:
    """A filled verification of a meter; a wrong one is valid for a day too long."""
    designation, _, serial = title.partition(" № ")
    document: dict[str, Any] = {  # Any: JSON
        "protocol_no": f"ПП-26-{number:06}",
        "date": "2026-11-02",
        "verifier_org": {"org": "org:lab", "local_code": "LAB"},
        "sign_cipher": "ЪЫЬ",
        "metrologist": {"name": "Поверитель П.П.", "snils": "000-000-001 01"},
        "device": {"gid": device, "grsi": "999910-00", "model": designation, "serial": serial, "year": 2026},
        "owner": "ООО «Завод Приборучёт-Демо»",
        "kind": "initial",
        "by_calibration_results": False,
        "method_doc": "МП 999910-00 (вымышленная)",
        "standards": [{"kind": "mieta", "reg_number": "999904.00.2Р.00000003", "valid_until": "2027-02-10"}],
        "conditions": {"t_air": 21.7, "pressure": 98.5, "humidity": 45, "t_water": 20.1},
        "operations": [{"name": "visual", "pass": True}, {"name": "error-flow", "pass": True, "points": _points()}],
        "applicable": True,
        "mpi_months": MONTHS,
        "valid_until": "2032-11-02" if wrong else "2032-11-01",
        "sign_in_passport": True,
        "sign_on_device": True,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _points() -> list[dict[str, Any]]:  # Any: JSON
    return [
        {
            "name": f"Q{at}",
            "q_set": flow,
            "v_ref": volume,
            "v_meter": round(volume * 0.996, 6),
            "error": -0.4,
            "mpe": limit,
            "pass": True,
        }
        for at, (flow, volume, limit) in enumerate(FLOWS, 1)
    ]
