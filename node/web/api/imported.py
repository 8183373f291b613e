"""What an import brought."""

from pydantic import BaseModel

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.web.api.imports import JobPath
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import passports as tables


class ImportedRow(BaseModel):
    """A thing of which a file spoke."""

    id: str
    title: str
    kind: str
    state: str


@api("GET", "/jobs/{job}/devices", title="What an import brought", scopes=[Scope.READ],
     problems=["job_unknown", "cursor"], table=tables.IMPORTED)  # fmt: skip
async def list_imported(call: Call, path: JobPath, query: PageQuery) -> Page[ImportedRow]:
    """In the order of the file; what was taken back since is left out."""
    place = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else 0
    found = await call.context.imported.things(path.job, place, query.limit + 1)
    more = call.encode_cursor(place + query.limit) if len(found) > query.limit else None
    rows = [
        ImportedRow(id=format_device_id(SubjectId(one.subject)), title=one.title, kind=one.kind, state=one.state)
        for one in found[: query.limit]
    ]
    return Page(items=rows, next=more)


ROUTES = (list_imported,)
