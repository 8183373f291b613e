"""`passport-node keys`: the organisation's root keys and nodes.

Root keys are read here and nowhere else: a statement is signed by the command and handed to the node, through its
socket where it runs, else into its store under the folder's lock.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli.opening import open_node, refusals_of_the_store
from node.cli.talk import HERE, Folder, Language, app, ask, choose_language, in_words, out, read, telling, write
from node.clock import SystemClock, SystemRandom
from node.collecting import loading
from node.errors import InputError
from node.folder import NodeFolder
from node.root_keys import FOLLOWING, NEXT, ROOT, is_open, move_root_keys, read_root_key, write_root_key

with loading():
    from federation.cut import Cut, CutRow
    from federation.enrolment import parse_enrolment, parse_request
    from federation.errors import FederationError
    from federation.keys import SigningKey, key_hash
    from federation.organisation import Chain, sign_next
    from federation.statements import (
        Body,
        EndNodeBody,
        EndReason,
        KeyBody,
        NodeBody,
        RootStatement,
        decode_root_statement,
    )

if TYPE_CHECKING:
    from node.api_client import ApiClient
    from node.app import Node

PANEL = "The node"
SEED = 32
LEAST_OF_ID = 4
Json = Any  # Any: what the API answers
RootKey = Annotated[Path | None, typer.Option(help="Where root.key lies: a file or a folder; else the node's folder.")]
keys_app = typer.Typer(no_args_is_help=True, help="The organisation's root keys and nodes.")
app.add_typer(keys_app, name="keys", rich_help_panel=PANEL)


@keys_app.command("status")
def keys_status(folder: Folder = HERE, language: Language = "en") -> None:
    """Which keys are in force, where they lie, the organisation's nodes, and what should not stay so."""
    from node.web.key_words import NODE_STATES, WARNINGS  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    said = _Said(choose_language(language))
    answer = _status(folder)
    said.line("организация", "organisation", answer["org"])
    said.line("действует", "in force", f"{answer['root_key']}{said.lies(folder, ROOT, answer)}")
    said.line("обещан", "promised", f"{answer['promise']}{said.lies(folder, NEXT, answer)}")
    for branch in answer["branches"]:
        said.line("раздвоена", "forked at", f"{branch['n']}: {branch['type']} {branch['node'] or branch['root_key']}")
        said.line("хеш", "hash", branch["hash"])
    for node in answer["nodes"]:
        state = in_words(said.language, *NODE_STATES[node["state"]])
        this = in_words(said.language, ", этот", ", this one") if node["is_this"] else ""
        said.line("узел", "node", f"{node['node']} {state}{this}")
        for log in node["logs"]:
            counted = "" if log["counted"] is None else in_words(said.language, " засчитано ", " counted ")
            out.print(f"    {log['log']} {log['size']}{counted}{log['counted'] if counted else ''}")
    for warning in answer["warnings"]:
        out.print(in_words(said.language, *WARNINGS[warning]), style="yellow")


@keys_app.command("move")
def keys_move(
    target: Annotated[Path, typer.Argument(help="A folder elsewhere: a medium that is taken away, another machine.")],
    only: Annotated[str, typer.Option(help="root or next; both where nothing is said.")] = "",
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """Move the root keys off this machine: written there, read back, removed here."""
    said, names = _Said(choose_language(language)), {"": (ROOT, NEXT), "root": (ROOT,), "next": (NEXT,)}
    with telling(said.language):
        if only not in names:
            raise InputError(f"--only {only}: write root or next", ru=f"--only {only}: напишите root или next")
        for path in move_root_keys(folder, target, names[only]):
            said.line("перенесён", "moved", str(path))
            said.warn_open(path)


@keys_app.command("state-node")
def keys_state_node(
    request: Annotated[Path, typer.Argument(help="What `init --organisation-of` wrote on the new machine.")],
    to: Annotated[Path, typer.Option(help="The answer, to carry to the new machine.")],
    root_key: RootKey = None,
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """State a new node of the organisation."""
    said = _Said(choose_language(language))
    with telling(said.language):
        asked = parse_request(read(request, "name the request of the new node").decode(errors="replace"))
        answer = _sign(folder, read_root_key(root_key or folder), NodeBody(asked.node, asked.sign_key))
        write(to, answer["enrolment"].encode(), "name another file")
        said.line("объявлен узел", "stated node", asked.node.hex())
        said.line("ответ", "answer", str(to))


@keys_app.command("take")
def keys_take(
    answer: Annotated[Path, typer.Argument(help="What `keys state-node` wrote.")],
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """Let this new node take the organisation that stated it."""
    with loading():
        from node.services.found import enrol_node  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    said = _Said(choose_language(language))
    with telling(said.language):
        enrolment = parse_enrolment(read(answer, "name the answer to this node").decode(errors="replace"))
        place = NodeFolder(folder)
        with refusals_of_the_store(folder), place.locked():
            founded = asyncio.run(enrol_node(place, enrolment, SystemClock(), SystemRandom()))
        said.line("организация", "organisation", founded.org.hex())
        said.line("узел", "node", founded.node.hex())
        out.print(in_words(said.language, "Дальше:", "Next:") + f" passport-node serve -f {folder}")


@keys_app.command("end-node")
def keys_end_node(
    node: Annotated[str, typer.Argument(help="Its id, or how it begins.")],
    reason: Annotated[str, typer.Option(help="retired, stolen, lost, replaced or other.")],
    at: Annotated[
        list[str] | None, typer.Option(help="LOG=SIZE, as often as needed; else all that is here counts on.")
    ] = None,
    root_key: RootKey = None,
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """End a node: what stands past the cut counts no more, anywhere. Said again with larger sizes it widens the cut."""
    said = _Said(choose_language(language))
    with telling(said.language):
        why = _reason(reason)
        node_id = _find_node(_status(folder), node)
        rows = _cut(folder, node_id, at)
        cut = Cut(tuple(CutRow(bytes.fromhex(r["log"]), r["size"], bytes.fromhex(r["root"])) for r in rows))
        _sign(folder, read_root_key(root_key or folder), EndNodeBody(bytes.fromhex(node_id), int(why), cut))
        said.line("отключён узел", "ended node", node_id)
        for row in cut.rows:
            said.line("отсечка", "cut", f"{row.log.hex()}={row.size}")


@keys_app.command("rotate")
def keys_rotate(
    to: Annotated[Path, typer.Option(help="Where both new key files are written: a folder on a medium.")],
    next_key: Annotated[
        Path | None, typer.Option(help="Where next-root.key lies: a file or a folder; else the node's folder.")
    ] = None,
    after: Annotated[
        int | None, typer.Option(help="The last statement to keep: those after it, a thief's, are voided.")
    ] = None,
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """Bring the promised key into force, and promise a new one."""
    said = _Said(choose_language(language))
    with telling(said.language):
        promised = read_root_key(next_key or folder, NEXT)
        # On the medium before it is promised: a promise that nobody can redeem would be the end of the chain.
        fresh = to / FOLLOWING
        if not fresh.exists():
            write_root_key(to, FOLLOWING, SystemRandom().bytes(SEED))
        following = read_root_key(fresh)
        answer = _status(folder)
        # Broken off before the files were written, it only writes them now.
        if (answer["root_key"], answer["promise"]) != (promised.public.hex(), _hash(following)):
            answer = _sign(folder, promised, KeyBody(promised.public, key_hash(following.public)), after)
        source = next_key or folder
        seed = read(source / NEXT if source.is_dir() else source, "name where next-root.key lies")
        for path in (write_root_key(to, ROOT, seed), write_root_key(to, NEXT, fresh.read_bytes())):
            said.line("записан", "written", str(path))
            said.warn_open(path)
        fresh.unlink()
        said.line("действует", "in force", answer["root_key"])
        out.print(
            in_words(
                said.language,
                f"Держите {to / NEXT} отдельно от {to / ROOT}. Прежние ключи уничтожьте всюду.",
                f"Keep {to / NEXT} apart from {to / ROOT}. Destroy the keys before them wherever they lie.",
            )
        )


@keys_app.command("drill")
def keys_drill(
    root_key: RootKey = None,
    next_key: Annotated[
        Path | None, typer.Option(help="Where next-root.key lies: a file or a folder; else the node's folder.")
    ] = None,
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """Play through rotation, a stolen node and a stolen root key, on copies in a temporary folder."""
    with loading():
        from node.services.drill import drill  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    said = _Said(choose_language(language))
    with telling(said.language), tempfile.TemporaryDirectory(prefix="passport-drill-") as place:
        copies = Path(place)
        statements = _statements(_status(folder))
        for name, source in ((ROOT, root_key or folder), (NEXT, next_key or folder)):
            read_root_key(source, name)  # says what is wrong with the original
            copyfile(source / name if source.is_dir() else source, copies / name)
        keys = read_root_key(copies), read_root_key(copies, NEXT)
        for number, step in enumerate(drill(statements, *keys, SystemRandom()), 1):
            out.print(f"{number}. {in_words(said.language, step.ru, step.en)}")
        out.print(in_words(said.language, "Настоящая цепочка не тронута.", "The real chain was not touched."))


class _Said:
    """Lines of an answer in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def line(self, russian: str, english: str, value: str) -> None:
        """A name and what it is."""
        out.print(f"{in_words(self.language, russian, english):<14}{value}", markup=False)

    def lies(self, folder: Path, name: str, answer: Json) -> str:
        """Where a key is, as far as that can be seen from here."""
        path = folder / name
        if not path.exists():
            return in_words(self.language, ", здесь не лежит", ", not here")
        key = read_root_key(path)
        is_it = answer["root_key"] == key.public.hex() if name == ROOT else answer["promise"] == _hash(key)
        if is_it:
            return f", {path}"
        return in_words(self.language, f", а {path} — другой ключ", f", and {path} is another key")

    def warn_open(self, path: Path) -> None:
        """Say so where others may read a key."""
        if is_open(path):
            out.print(
                in_words(
                    self.language,
                    f"{path} открыт другим: носитель не хранит прав, не оставляйте его подключённым",
                    f"{path} is open to others: the medium keeps no rights, do not leave it connected",
                ),
                style="yellow",
            )


def _hash(key: SigningKey) -> str:
    return key_hash(key.public).hex()


def _status(folder: Path) -> Json:
    return _reach(folder, lambda api: api.get("/keys"), _status_at_rest)


def _cut(folder: Path, node: str, at: Sequence[str] | None) -> list[Json]:
    sizes = None if not at else [_size(pair) for pair in at]

    async def at_rest(found: "Node") -> Json:
        from node.web.api.keys import cut_answer  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

        known = None if sizes is None else {bytes.fromhex(row["log"]): int(row["size"]) for row in sizes}
        return cut_answer(await found.keys.cut(bytes.fromhex(node), known)).model_dump(mode="json")

    answer = _reach(folder, lambda api: api.post("/keys/cut", {"node": node, "at": sizes}), at_rest)
    rows: list[Json] = answer["rows"]
    return rows


def _sign(folder: Path, key: SigningKey, body: Body, after: int | None = None) -> Json:
    """Sign the next statement with a root key and hand it to the node."""
    chain = Chain(_statements(_status(folder)))
    try:
        said = sign_next(chain, key, body, after)
    except FederationError as error:
        raise InputError(
            f"this cannot be stated: {error}; see `passport-node keys status` for the key in force",
            "root_statement",
            ru=f"это утвердить нельзя: {error}; какой ключ действует, говорит `passport-node keys status`",
        ) from error
    envelope = said.envelope()

    async def at_rest(found: "Node") -> Json:
        await found.keys.take([envelope], "local:administrator")
        return await _status_at_rest(found)

    return _reach(folder, lambda api: api.post("/keys/statements", {"statements": [envelope.hex()]}), at_rest)


async def _status_at_rest(found: "Node") -> Json:
    from node.web.api.keys import keys_answer  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    return keys_answer(await found.keys.status(), await found.keys.enrolment()).model_dump(mode="json")


def _reach(
    folder: Path, online: Callable[["ApiClient"], Awaitable[Json]], at_rest: Callable[["Node"], Awaitable[Json]]
) -> Json:
    """Ask the node, or its store where it does not run."""
    with loading():
        from node.api_client import ApiError  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
    try:
        return ask(folder, online)
    except ApiError as error:
        if error.code != "not_running":
            raise
    with refusals_of_the_store(folder):
        return asyncio.run(open_node(folder).visit(at_rest))


def _statements(answer: Json) -> list[RootStatement]:
    return [decode_root_statement(bytes.fromhex(text)) for text in answer["statements"]]


def _find_node(answer: Json, start: str) -> str:
    if len(start) < LEAST_OF_ID:  # an end is for good: an empty variable of a script must not name the only node
        raise InputError(
            f"{start!r} is too short for the id of a node: write {LEAST_OF_ID} digits of it at least",
            ru=f"{start!r} — слишком мало для номера узла: напишите хотя бы {LEAST_OF_ID} его знаков",
        )
    found = [str(node["node"]) for node in answer["nodes"] if node["node"].startswith(start.lower())]
    if len(found) != 1:
        raise InputError(
            f"{len(found)} nodes of this organisation begin with {start}: `passport-node keys status` lists them",
            ru=f"узлов, которые начинаются на {start}: {len(found)}; их список — `passport-node keys status`",
        )
    return found[0]


def _reason(text: str) -> EndReason:
    try:
        return EndReason[text.upper()]
    except KeyError as error:
        names = ", ".join(reason.name.lower() for reason in EndReason)
        raise InputError(f"--reason {text}: write one of {names}", ru=f"--reason {text}: одно из {names}") from error


def _size(pair: str) -> Json:
    log, sign, size = pair.partition("=")
    if not sign or not size.isdigit():
        raise InputError(f"--at {pair}: write LOG=SIZE", ru=f"--at {pair}: напишите ЖУРНАЛ=РАЗМЕР")
    return {"log": log.lower(), "size": int(size)}
