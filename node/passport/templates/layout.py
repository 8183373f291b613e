"""Who signs a protocol, how its form is laid out and how it is printed: data of the template, drawn elsewhere.

`parties`: [{role, signs, title, organisation: pointer}] · `form`: {sections: [{title, fields: [pointer]}]} ·
`print`: {blocks: [{kind: "fields", title, fields} | {kind: "table", title, each, columns} | {kind: "text", text} |
{kind: "signatures", title}]}. A template without a form or a print layout gets one from its schema.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.passport.strict_json import Json, show
from node.passport.templates.errors import TemplateRefusedError
from node.passport.templates.extract import read_place
from node.passport.templates.pointer import EVERY, Pointer
from node.passport.templates.schema import Schema, nodes, schema_at

ROLES = frozenset({"manufacturer", "owner", "process_owner", "process_executor", "data_source", "administrator"})
MAX_PARTIES = 16
MAX_BLOCKS = 100
MAX_FIELDS = 500
MAX_TEXT = 4_000
MAX_PRINTED = 4  # times that one place may stand in print

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Party:
    """A role that takes part in the act; `organisation` points at who it is, where the document says so."""

    role: str
    signs: bool
    title: Texts
    organisation: Pointer | None


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that stand together in the form, in order."""

    title: Texts
    fields: tuple[Pointer, ...]


class BlockKind(StrEnum):
    """What a part of the printed page is."""

    FIELDS = "fields"
    TABLE = "table"
    TEXT = "text"
    SIGNATURES = "signatures"


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the printed page; `fields` are columns within `each` for a table, `text` for a text alone."""

    kind: BlockKind
    title: Texts
    fields: tuple[Pointer, ...] = ()
    each: Pointer | None = None
    text: Texts | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Parties, form and print of a template."""

    parties: tuple[Party, ...]
    form: tuple[Section, ...]
    blocks: tuple[Block, ...]

    @property
    def signers(self) -> tuple[str, ...]:
        """The roles that must sign before an event of the act arises."""
        return tuple(party.role for party in self.parties if party.signs)


def read_layout(card: Mapping[str, Json], schema: Schema) -> Layout:
    """The layout parts of `x-epd-template`; raise TemplateRefusedError naming the place."""
    parties = tuple(
        _party(item, schema, f"parties/{index}")
        for index, item in enumerate(_list(card.get("parties", []), "parties", MAX_PARTIES))
    )
    twice = [role for role, times in Counter(party.role for party in parties if party.signs).items() if times > 1]
    if twice:
        raise TemplateRefusedError(
            f"{twice[0]} signs twice, and whose signature is lacking nobody could say",
            f"{twice[0]} подписывает дважды: чьей подписи нет, было бы не сказать",
            "parties",
        )
    form = _form(card["form"], schema) if "form" in card else _default_form(schema)
    blocks = _blocks(card["print"], schema) if "print" in card else _default_blocks(form, schema)
    return Layout(parties, form, blocks)


def _party(raw: Json, schema: Schema, where: str) -> Party:
    item = _members(raw, where, {"role", "signs", "title"}, {"organisation"})
    role, signs = item["role"], item["signs"]
    if not isinstance(role, str) or role not in ROLES or not isinstance(signs, bool):
        known = ", ".join(sorted(ROLES))
        raise TemplateRefusedError(
            f"role is one of {known} and signs true or false",
            f"role — одна из ролей {known}, а signs — true или false",
            where,
        )
    organisation = read_place(item["organisation"], schema, where) if "organisation" in item else None
    return Party(role, signs, _texts(item["title"], where), organisation)


def _form(raw: Json, schema: Schema) -> tuple[Section, ...]:
    form = _members(raw, "form", {"sections"}, set())
    listed = _list(form["sections"], "form/sections", MAX_BLOCKS)
    sections = tuple(_section(item, schema, f"form/sections/{index}") for index, item in enumerate(listed))
    _check_asked_once([place for section in sections for place in section.fields])
    return sections


def _section(raw: Json, schema: Schema, where: str) -> Section:
    item = _members(raw, where, {"title", "fields"}, set())
    return Section(_texts(item["title"], where), _fields(item["fields"], schema, where))


def _blocks(raw: Json, schema: Schema) -> tuple[Block, ...]:
    page = _members(raw, "print", {"blocks"}, set())
    listed = _list(page["blocks"], "print/blocks", MAX_BLOCKS)
    blocks = tuple(_block(item, schema, f"print/blocks/{index}") for index, item in enumerate(listed))
    printed = Counter(_within(block, place) for block in blocks for place in block.fields)
    for place, times in printed.items():
        if times > MAX_PRINTED:
            raise TemplateRefusedError(
                f"{place} is printed {times} times, over {MAX_PRINTED}",
                f"{place} печатается раз: {times}, а можно не больше {MAX_PRINTED}",
                "print",
            )
    return blocks


def _block(raw: Json, schema: Schema, where: str) -> Block:
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or kind not in _BLOCK_MEMBERS:
        known = ", ".join(sorted(_BLOCK_MEMBERS))
        raise TemplateRefusedError(
            f"kind is one of {known}, got {show(raw)}", f"kind — одно из {known}, а стоит {show(raw)}", where
        )
    item = _members(raw, where, {"kind"} | _BLOCK_MEMBERS[kind], {"title"})
    title = _texts(item["title"], where) if "title" in item else {}
    each = read_place(item["each"], schema, where, wildcard=True) if "each" in item else None
    text = _texts(item["text"], where) if "text" in item else None
    fields: tuple[Pointer, ...] = ()
    if each is not None:
        fields = _columns(item["columns"], each, schema, where)
    elif "fields" in item:
        fields = _fields(item["fields"], schema, where)
    return Block(BlockKind(kind), title, fields, each, text)


def _check_asked_once(places: Sequence[Pointer]) -> None:
    """A value that a form asks for twice would be sent twice, and which of the two counts nobody could say."""
    known = set(places)
    for place in places:
        above = (Pointer(place.tokens[:length]) for length in range(1, len(place.tokens)))
        if (twice := next((one for one in above if one in known), None)) is not None:
            raise TemplateRefusedError(
                f"{place} is asked for within {twice} already", f"{place} уже спрошено внутри {twice}", "form"
            )
    if len(known) != len(places):
        asked = Counter(places).most_common(1)[0][0]
        raise TemplateRefusedError(f"{asked} is asked for twice", f"{asked} спрошено дважды", "form")


def _within(block: Block, place: Pointer) -> Pointer:
    return block.each.child(EVERY).join(place) if block.each is not None else place


def _columns(raw: Json, each: Pointer, schema: Schema, where: str) -> tuple[Pointer, ...]:
    columns = []
    for name in _list(raw, where, MAX_FIELDS):
        if not isinstance(name, str):
            raise TemplateRefusedError(
                f"a column is a name, got {show(name)}", f"столбец — это имя, а стоит {show(name)}", where
            )
        column = Pointer((name,))
        read_place(str(each.child(EVERY).join(column)), schema, where, wildcard=True)
        columns.append(column)
    return tuple(columns)


def _fields(raw: Json, schema: Schema, where: str) -> tuple[Pointer, ...]:
    return tuple(read_place(item, schema, where, wildcard=True) for item in _list(raw, where, MAX_FIELDS))


def _default_form(schema: Schema) -> tuple[Section, ...]:
    named = [place for place, _ in nodes(schema) if len(place.tokens) == 1]
    single = tuple(place for place in named if not _is_group(schema, place))
    groups = (place for place in named if _is_group(schema, place))
    sections = [Section({}, single)] if single else []
    return (*sections, *(Section(_title(schema, place), tuple(_leaves(schema, place))) for place in groups))


def _default_blocks(form: tuple[Section, ...], schema: Schema) -> tuple[Block, ...]:
    blocks = [_default_block(section, schema) for section in form]
    return (*blocks, Block(BlockKind.SIGNATURES, {}))


def _default_block(section: Section, schema: Schema) -> Block:
    first = section.fields[0] if section.fields else Pointer()
    if EVERY in first.tokens and (schema_at(schema, Pointer(first.tokens[:1])) or {}).get("type") == "array":
        columns = tuple(Pointer(place.tokens[2:]) for place in section.fields if len(place.tokens) == 3)
        return Block(BlockKind.TABLE, section.title, columns, Pointer(first.tokens[:1]))
    return Block(BlockKind.FIELDS, section.title, section.fields)


def _leaves(schema: Schema, root: Pointer) -> Iterator[Pointer]:
    for place, node in nodes(schema_at(schema, root) or {}, root):
        # Names with values, of which the schema names none, are one field.
        is_map = node.get("type") == "object" and not node.get("properties")
        if is_map or node.get("type") not in ("object", "array"):
            yield place


def _is_group(schema: Schema, place: Pointer) -> bool:
    return (schema_at(schema, place) or {}).get("type") in ("object", "array")


def _title(schema: Schema, place: Pointer) -> Texts:
    title = (schema_at(schema, place) or {}).get("title", place.tokens[-1])
    return {"ru": str(title)}


def _members(raw: Json, where: str, needed: set[str], allowed: set[str]) -> dict[str, Json]:
    if not isinstance(raw, dict) or not needed <= raw.keys() <= needed | allowed:
        asked, known = ", ".join(sorted(needed)), ", ".join(sorted(needed | allowed))
        raise TemplateRefusedError(
            f"needs {asked} and has nothing but {known}, got {show(raw)}",
            f"нужны {asked}, допустимы только {known}, а стоит {show(raw)}",
            where,
        )
    return raw


def _list(raw: Json, where: str, most: int) -> list[Json]:
    if not isinstance(raw, list) or len(raw) > most:
        raise TemplateRefusedError(
            f"a list of at most {most}, got {show(raw)}",
            f"нужен список, в нём не больше {most}, а стоит {show(raw)}",
            where,
        )
    return raw


def _texts(raw: Json, where: str) -> dict[str, str]:
    if not isinstance(raw, dict) or not raw:
        raise TemplateRefusedError(
            f"a text by language, got {show(raw)}", f"нужен текст по языкам, а стоит {show(raw)}", where
        )
    texts = {language: text for language, text in raw.items() if isinstance(text, str) and len(text) <= MAX_TEXT}
    if len(texts) != len(raw):
        raise TemplateRefusedError(
            f"a text by language of at most {MAX_TEXT} characters",
            f"нужен текст по языкам, до {MAX_TEXT} знаков",
            where,
        )
    return texts


_BLOCK_MEMBERS: dict[str, set[str]] = {
    "fields": {"fields"},
    "table": {"each", "columns"},
    "text": {"text"},
    "signatures": set(),
}
