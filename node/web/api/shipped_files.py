"""The passports of a shipment as signed files, for a buyer who has no node: an archive with a list of what is in it."""

import asyncio
import io
import zipfile
from collections.abc import Sequence

from aiohttp import web
from pydantic import BaseModel, Field

from node.exchange.tables import write_csv
from node.passport.shipments import DeviceState
from node.services.access import Scope
from node.services.passport_files import PassportFile
from node.web.api.papers import answer_file
from node.web.api.passports import PassportPath, subject_of
from node.web.api.rights import profile_asked
from node.web.api.shipments import to_id
from node.web.calls import Call
from node.web.routes import api

ZIP = "application/zip"
IN_ONE = 200
LIST = "passports.csv"
EPOCH = (1980, 1, 1, 0, 0, 0)
GONE = (DeviceState.REFUSED, DeviceState.WITHDRAWN)


class ArchiveQuery(BaseModel):
    """Which archive of a shipment."""

    part: int = Field(default=1, ge=1, le=1000, description=f"Of {IN_ONE} devices each, by their ids.")


@api("GET", "/shipments/{id}/files", title="Passports of a shipment as signed files", scopes=[Scope.SHIP], files=[ZIP],
     problems=["shipment_unknown", "id_mistyped", "shipment_no_part", "passport_unknown"])  # fmt: skip
async def read_files(call: Call, path: PassportPath, query: ArchiveQuery) -> web.Response:
    """What an owner is shown of each device, one file each, with a list: `passport-node check-file` reads them with no
    node. Keys never stand in files.
    """
    subject = subject_of(path.id)
    shipment = await call.context.shipments.part(subject, query.part, IN_ONE, GONE)
    owner = await profile_asked(call, "owner")
    made = await call.context.passport_files.write_many(shipment.devices, call.actor.label, None, owner)
    raw = await asyncio.to_thread(_archive, made)
    return answer_file(call, raw, ZIP, f"shipment-{to_id(subject)}-{query.part}", shipment.number, "zip")


def _archive(files: Sequence[PassportFile]) -> bytes:
    """Stored as they are, since signatures and hashes do not pack, beside a list that opens in a spreadsheet."""
    out = io.BytesIO()
    rows = [[to_id(one.subject), one.title, f"{to_id(one.subject)}.passport"] for one in files]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(LIST, EPOCH), write_csv(["Номер", "Прибор", "Файл"], rows))
        for one, (_, _, name) in zip(files, rows, strict=True):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), one.content)
    return out.getvalue()


ROUTES = [read_files]
