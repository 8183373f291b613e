"""The page of the organisation and its keys, beside what the API says: of a node whose root keys lie in its folder."""

from pathlib import Path

from federation.cut import Cut
from federation.keys import key_hash, key_id
from federation.organisation import Chain, sign_next
from federation.statements import Body, EndNodeBody, EndReason, KeyBody, NodeBody, decode_root_statement
from node.root_keys import NEXT, ROOT, move_root_keys, read_root_key
from node.services.access import Scope
from node.store.organisations import find_chain
from tests.builders import id16, signing_key
from tests.unit.web.running import Json, RunningWeb, get, post, refused

RU, EN = {"Accept-Language": "ru"}, {"Accept-Language": "en"}


async def state(web: RunningWeb, body: Body) -> Json:
    """Sign what the organisation states as the command does, and hand it to the node."""
    told = await get(web.local(), "/keys")
    chain = Chain([decode_root_statement(bytes.fromhex(text)) for text in told["statements"]])
    said = sign_next(chain, read_root_key(web.context.core.folder.path), body)
    return await post(web.local(), "/keys/statements", {"statements": [said.envelope().hex()]})


async def page(web: RunningWeb, headers: dict[str, str]) -> str:
    """The page as an administrator has it."""
    async with web.local().get("/keys", headers=headers) as response:
        assert response.status == 200, await response.text()
        return await response.text()


async def test_keys_page_tells_the_chain_the_nodes_and_where_keys_lie(web: RunningWeb, tmp_path: Path) -> None:
    """Each statement in words, the ended node with its reason, fingerprint and pin; warned while the keys lie here."""
    await state(web, NodeBody(id16("second"), signing_key("second").public))
    told = await state(web, EndNodeBody(id16("second"), EndReason.STOLEN, Cut()))

    russian, english = await page(web, RU), await page(web, EN)
    node = await get(web.local(), "/node")
    assert [(one["n"], one["type"], one["reason"]) for one in told["chain"]] == [
        (0, "genesis", None),
        (1, "node", None),
        (2, "node", None),
        (3, "end_node", "stolen"),
    ]
    assert {one["node"]: one["state"] for one in told["nodes"]}[id16("second").hex()] == "ended"
    for text in ("организация основана", "отключён узел: украден", "первый", "root.key лежит на этой машине"):
        assert text in russian
    for text in ("organisation founded", "node ended: stolen", "the first one", "lies on this machine"):
        assert text in english
    root = read_root_key(web.context.core.folder.path)
    assert told["root_key_id"] == key_id(root.public).hex()
    assert told["root_key_id"] in russian
    assert node["pin"] in russian
    assert (node["standing"], node["words"]) == ("unknown", None)

    await post(web.local(), "/federation", {"name": "Одна"})
    move_root_keys(web.context.core.folder.path, tmp_path / "apart", (ROOT, NEXT))
    russian, node = await page(web, RU), await get(web.local(), "/node")
    assert "на этой машине нет" in russian
    assert "keys move" not in russian
    assert node["standing"] == "anchor"
    assert node["words"]["ru"] in russian
    web.context.membership.url = "https://127.0.0.1:8441"
    invited = await post(web.local(), "/invitations", {})
    assert invited["words"] == node["words"]


async def test_commands_for_the_root_key_are_told_to_administrators_alone(web: RunningWeb) -> None:
    """With the node's folder and the ids that are meant; a reader sees the chain and no command."""
    await state(web, NodeBody(id16("second"), signing_key("second").public))
    folder, reader = web.context.core.folder.path.resolve(), await web.system(Scope.READ)
    told = await page(web, EN)
    for line in (
        f"passport-node keys move /media/root-key --only root -f {folder}",
        f"passport-node keys rotate --next-key /media/next-key --to /media/new-keys -f {folder}",
        f"passport-node keys end-node {id16('second').hex()} --reason stolen --root-key /media/root-key -f {folder}",
    ):
        assert line in told

    async with reader.get("/keys", headers=EN) as response:
        seen = await response.text()
    assert "organisation founded" in seen
    assert str(folder) not in seen


async def test_own_chain_that_is_forked_takes_a_rotate_alone(web: RunningWeb) -> None:
    """Two machines that state a node each fork the chain: both are told, one more is refused, a rotate undoes both."""
    client, home = web.local(), web.context.core.folder.path
    root, following = read_root_key(home), read_root_key(home, NEXT)
    async with web.context.core.database.read() as tx:
        chain = await find_chain(tx, web.context.core.org)
    assert chain is not None
    left, right, late = (
        sign_next(chain, root, NodeBody(id16(name), signing_key(name).public)) for name in ("left", "right", "late")
    )
    await web.ingest.take_chain([*chain.path, left, right])

    told = await get(client, "/keys")
    assert (told["fork"], {one["hash"] for one in told["branches"]}) == (left.n, {left.hash.hex(), right.hash.hex()})
    assert right.hash.hex() in await page(web, EN)
    assert "раздвоена" in await page(web, RU)
    body = {"statements": [late.envelope().hex()]}
    assert await refused(client, "/keys/statements", body) == "root_statement"

    rotate = sign_next(chain, following, KeyBody(following.public, key_hash(signing_key("after").public)))
    healed = await post(client, "/keys/statements", {"statements": [rotate.envelope().hex()]})
    assert (healed["fork"], healed["branches"], healed["n"]) == (None, [], rotate.n)
