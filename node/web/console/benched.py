"""What waits at the step of a form together with its meter, and was on the bench."""

from dataclasses import dataclass

from node.services.forms import Form
from node.services.runs import RunSift
from node.web.calls import Call

TEMPLATE = "verification"
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many processes of one owner wait at the step of a form, and the meters of theirs that were on our bench."""

    count: int
    benched: list[bytes]


async def waiting_beside(call: Call, form: Form) -> Waiting | None:
    """What waits at the step of a form of a verification; None for any other form."""
    of = form.stored.of
    if of is None or form.held.template.name != TEMPLATE:
        return None
    row = (await call.context.runs.get(of.run)).row
    owner = bytes.fromhex(str(row["owner"]))  # who owns the meters stands in the form
    sift = RunSift(org=call.context.core.org, owner=owner, code=str(row["code"]), step=of.step)
    runs = await call.context.runs.page(sift, None, MOST)
    return Waiting(len(runs), await call.context.verifying.on_the_bench(runs))
