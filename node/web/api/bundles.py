"""Bundles: what a peer would take from this node, as a file; and such a file of a peer, taken."""

import io

from aiohttp import web
from pydantic import BaseModel, Field

from federation.sync.bundle import MAX_BUNDLE
from node.services.access import Scope
from node.web.api.federation import PeerPath
from node.web.api.fields import Hex16
from node.web.binding import BYTES
from node.web.calls import Call
from node.web.routes import api


class BundleQuery(BaseModel):
    """Which bundle."""

    whole: bool = Field(default=False, description="With what the node said that it has: it may have lost that since.")


class BundleTaken(BaseModel):
    """Whose bundle it was, when it was made, and what was wrong with one of its logs."""

    org: Hex16
    node: Hex16
    made_us: int
    trouble: str | None = Field(description="What of it was not taken, and why.")


@api("POST", "/peers/{node}/bundle", title="Make a bundle for a node", scopes=[Scope.PEERS], files=[BYTES],
     problems=["peer_unknown", "peer_ended", "org_refused", "bundle_no_key", "bundle_large"])  # fmt: skip
async def make_bundle(call: Call, path: PeerPath, query: BundleQuery) -> web.Response:
    """All that the node may see here and did not say that it has, sealed to it: carry it where no wire leads."""
    return await bundle_of(call, path.node, is_whole=query.whole)


@api("POST", "/bundles", title="Take a bundle", scopes=[Scope.PEERS], max_body=MAX_BUNDLE,
     problems=["bundle_damaged", "bundle_later", "bundle_of_another", "bundle_of_stranger"])  # fmt: skip
async def take_bundle(call: Call, body: bytes) -> BundleTaken:
    """Verified as what comes over the wire is."""
    return await taken_of(call, body)


async def bundle_of(call: Call, node: str, *, is_whole: bool) -> web.Response:
    """A bundle for a node, as a file."""
    file = io.BytesIO()
    await call.context.bundles.make(bytes.fromhex(node), file, call.actor.label, is_whole=is_whole)
    headers = {"Content-Type": BYTES, "Content-Disposition": f'attachment; filename="{node[:8]}.bundle"'}
    return web.Response(body=file.getvalue(), headers=headers)


async def taken_of(call: Call, raw: bytes) -> BundleTaken:
    """Take a bundle; whose it was."""
    taken = await call.context.bundles.take(io.BytesIO(raw), call.actor.label)
    return BundleTaken(org=taken.org.hex(), node=taken.node.hex(), made_us=taken.made_us, trouble=taken.trouble)


ROUTES = [make_bundle, take_bundle]
