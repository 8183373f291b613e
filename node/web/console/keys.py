"""The page of the organisation and its keys: root chain, nodes, logs of this node, and commands for the root key.

The root key never comes near the console: what needs it is told as the command to be run where the key lies.
"""

import shlex
from dataclasses import dataclass
from typing import cast

from node.services.access import Scope
from node.web.api.federation import NodeAnswer, read_node
from node.web.api.keys import KeysAnswer, read_keys
from node.web.calls import Call, View
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Keys")
# Where the commands look for the keys: two media that are kept apart, and one for those that follow.
ROOT, NEXT, FRESH = "/media/root-key", "/media/next-key", "/media/new-keys"


@dataclass(frozen=True, slots=True)
class Command:
    """Something that the root key is needed for: what for, a word about it, and what to type in order."""

    name: str
    title: str
    about: str
    lines: tuple[str, ...]


@page("GET", "/keys", title=TITLE, scopes=[Scope.READ], menu=Menu(Group.NODE, 6, "keys"), api="GET /keys")
async def keys(call: Call) -> View:
    """What the organisation stated, and what should not stay as it is."""
    context = call.context
    told, node = cast("KeysAnswer", await read_keys.handler(call)), cast("NodeAnswer", await read_node.handler(call))
    genesis = await context.attesting.genesis()
    this = next((one for one in told.nodes if one.is_this), None)
    return View(
        "keys.html",
        keys=told,
        node=node,
        section=context.settings.node,
        federation=genesis.name if genesis else "",
        words=" ".join(await context.membership.words(call.language)),
        logs=sorted(this.logs, key=lambda log: -log.opened_us) if this else [],
        commands=_commands(call, told) if call.actor.may([Scope.ACCESS]) else [],
    )


def _commands(call: Call, told: KeysAnswer) -> list[Command]:
    at = f"-f {shlex.quote(str(call.context.core.folder.path.resolve()))}"
    name = shlex.quote(call.context.settings.node.name)
    others = [one.node for one in told.nodes if one.state == "live" and not one.is_this]
    here = [
        f"passport-node keys move {place} --only {key} {at}"
        for code, key, place in (("root_here", "root", ROOT), ("next_here", "next", NEXT))
        if code in told.warnings
    ]
    found = [
        Command("move", mark("Move the root keys off this machine"),
                mark("Each onto a medium of its own: written there, read back, and only then removed here."), (*here,)),
        Command("drill", mark("Drill the loss of a key"),
                mark("Rotation, a stolen node and a stolen root key are played through on copies; nothing is changed."),
                (f"passport-node keys drill --root-key {ROOT} --next-key {NEXT} {at}",)),
        Command("rotate", mark("Change the root key"),
                mark("Yearly, and at once where root.key may be stolen: the promised key comes into force."),
                (f"passport-node keys rotate --next-key {NEXT} --to {FRESH} {at}",)),
        Command("state", mark("Add a node of this organisation"),
                mark("The first and the last line are typed on the new machine, the second here."),
                (f"passport-node init node --name {name} --organisation-of request.txt",
                 f"passport-node keys state-node request.txt --to answer.txt --root-key {ROOT} {at}",
                 "passport-node keys take answer.txt -f node")),
        Command("end", mark("End a node of this organisation"),
                mark("For the reason write retired, stolen, lost or replaced. What is here of its logs counts on."),
                tuple(f"passport-node keys end-node {one} --reason stolen --root-key {ROOT} {at}" for one in others)),
    ]  # fmt: skip
    return [one for one in found if one.lines]


ROUTES = (keys,)
