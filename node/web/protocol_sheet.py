"""A protocol as a document for paper: what its template lays out, who signed it, how it stands, as its page has it.

Where the template does not run here the document is told place by place; what is withheld is told as withheld.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from node.exchange.errors import SheetError
from node.exchange.sheets import MAX_CELLS, Block, Grid, Notes, Pairs, Sheet
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, rows, text
from node.passport.strict_json import Json
from node.passport.templates.layout import BlockKind
from node.passport.templates.pointer import Pointer
from node.passport.templates.sheet import Label, SheetBlock, attachments_of, parties_of, sheet_of
from node.passport.view import View as PassportView
from node.services.protocols import Paper
from node.web.columns import moment_text
from node.web.languages import translations
from node.web.passport_sheet import Issue
from node.web.passport_words import SECTIONS, STANDINGS, words
from node.web.protocol_words import REASONS, ROLES, label_words, text_words, titles_words, value_words
from node.web.sheet_words import sheet_words

STANDS = ("stated", "registered", "agreed")


def protocol_sheet(view: PassportView, paper: Paper, issue: Issue, names: Mapping[str, str], language: str) -> Sheet:
    """The document of a protocol of a view; `names` are those of organisations, by id in hex.

    Raise SheetError where it is too long for paper.
    """
    template = paper.held.template if paper.held else None
    titles = template.title if template else None
    title = titles_words(titles, at(paper.row, "template", "title") or at(paper.row, "template", "name"), language)
    device = format_device_id(SubjectId(paper.subject))
    made = f"{moment_text(issue.made_us)} UTC"
    return Sheet(
        language,
        sheet_words("Protocol", language),
        title,
        [f"{text(view, 'title')}  {device}", *_stamps(paper, language)],
        device,
        [*_document(paper, language), *_signed(view, paper, names, language)],
        f"{title} · {text(view, 'title')} · {issue.organisation} · {made}",
        sheet_words("page {} of {}", language),
        issue.made_us,
    )


def signatures_of(view: PassportView, row: PassportView) -> list[PassportView]:
    """The statements that carry this very document under one template, each with who signed it and its id."""
    named = _named(row)
    same = [
        other
        for other in rows(view, "protocols")
        if other["ref"] == row["ref"]
        or (other["document"] is not None and _named(other) == named and other["replaced_by"] is None)
    ]
    ids = {str(statement["ref"]): statement["id"] for statement in rows(view, "statements")}
    return [{**other, "id": ids.get(str(other["ref"]))} for other in same]


def hashes_of(row: PassportView) -> list[tuple[str, str]]:
    """SHA-256 of each part of the document, as it stands in the signed statement."""
    parts = ((name, row[name]) for name in ("document", "personal"))
    return [(name, hashlib.sha256(part.encode()).hexdigest()) for name, part in parts if isinstance(part, str)]


def leaves_of(document: Json, place: Pointer = Pointer()) -> Sequence[tuple[Label, Json]]:  # noqa: B008 - immutable
    """Every value of a document whose template does not run here, by its place."""
    if isinstance(document, Mapping):
        return [leaf for name, value in document.items() for leaf in leaves_of(value, place.child(name))]
    if isinstance(document, list):
        return [leaf for index, value in enumerate(document) for leaf in leaves_of(value, place.child(index))]
    return [(Label(place, str(place), ""), document)]


def _stamps(paper: Paper, language: str) -> Iterator[str]:
    """What a reader has to know before the document."""
    say, row = translations(language).gettext, paper.row
    if row["replaced_by"]:
        yield say("Replaced by a later protocol of the same author")
    if row["standing"] not in STANDS:
        yield f"{say('Standing')}: {words(STANDINGS, row['standing'], language)}"
    if row["act"] is not None:
        is_agreed = bool(at(row, "act", "agreed"))
        yield say("Agreed: every party has signed") if is_agreed else say("One-sided: not every party has signed")
    extract = row["extract"]
    if isinstance(extract, dict) and not extract["checked"]:
        yield say("Signed without being fully checked against the rules of its template")
    if paper.document is None:
        yield say("The document itself is not open to this organisation.")
    elif not paper.is_whole:
        yield say("Personal data in this document is not open to this organisation.")


def _document(paper: Paper, language: str) -> Iterator[Block]:
    say, document = translations(language).gettext, paper.document
    if document is None:
        return
    if paper.held is None:
        told = [(label.title, value_words(value, language), "") for label, value in leaves_of(document)]
        yield Pairs(say("The template does not run on this node: the document is shown place by place."), told)
    else:
        for block in sheet_of(paper.held.template, document, is_whole=paper.is_whole):
            if block.is_cut:
                raise SheetError(f"a document for paper has at most {MAX_CELLS} values")
            if block.kind is not BlockKind.SIGNATURES:
                yield _block(block, language)
    attached = [(str(file["name"]), f"SHA-256 {file['sha256']}", "") for file in rows(paper.row, "attachments")]
    if attached:
        yield Pairs(say("Attached files"), attached)
    files = [
        (str(file.get("media_type") or place), f"SHA-256 {file['sha256']}", "")
        for place, file in attachments_of(document)
    ]
    if files:
        yield Pairs(say("Attachments"), files)


def _block(block: SheetBlock, language: str) -> Block:
    title = text_words(block.title, language)
    if block.kind is BlockKind.TABLE:
        header = [label_words(label, language) for label in block.columns]
        told = [[value_words(value, language) for value in row] for row in block.rows]
        return Grid(title, header, told, [1] * len(header))
    if block.kind is BlockKind.TEXT and block.text is not None:
        return Notes(title, [text_words(block.text, language)])
    return Pairs(
        title, [(label_words(line.label, language), value_words(line.value, language), "") for line in block.lines]
    )


def _signed(view: PassportView, paper: Paper, names: Mapping[str, str], language: str) -> Iterator[Block]:
    say, row = translations(language).gettext, paper.row
    if row["act"] is not None:
        yield Pairs(say("Parties and signatures"), [_side(paper, side, names, language) for side in _sides(row)])
    elif paper.held is not None and paper.document is not None:
        parties = parties_of(paper.held.template, paper.document)
        told = [
            (
                text_words(party.title, language) or words(ROLES, party.role, language),
                party.organisation or "—",
                say("signs") if party.signs else "",
            )
            for party in parties
        ]
        if told:
            yield Pairs(say("Parties and signatures"), told)
    header = (say("Signed by"), say("Recorded"), say("Standing"), say("Statement"))
    signatures = [
        [
            f"{names.get(str(one['by']), str(one['by'])[:8])} {one['by']}",
            f"{moment_text(one['recorded'])} UTC",
            words(STANDINGS, one["standing"], language),
            str(one["id"] or ""),
        ]
        for one in signatures_of(view, row)
    ]
    yield Grid(sheet_words("Signatures", language), header, signatures, (34, 17, 17, 32))
    hashes = [(f"SHA-256, {words(SECTIONS, name, language)}", digest, "") for name, digest in hashes_of(row)]
    hashes.append((say("Place in the log"), str(row["ref"]), ""))
    published = " ".join(str(at(row, "template", name) or "") for name in ("name", "version", "id"))
    hashes.append((say("Template"), published, ""))
    yield Pairs(sheet_words("Where this comes from", language), hashes)


def _sides(row: PassportView) -> list[PassportView]:
    return rows(row, "act", "sides")


def _side(paper: Paper, side: PassportView, names: Mapping[str, str], language: str) -> tuple[str, str, str]:
    """A party of an act: what it is called, who that is, and its signature or why there is none."""
    say, role = translations(language).gettext, str(side["role"])
    parties = paper.held.template.layout.parties if paper.held else ()
    title = next((text_words(party.title, language) for party in parties if party.role == role), "")
    who = names.get(str(side["org"]), str(side["named"] or "—"))
    told = [f"{say('signed')} {moment_text(side['at'])} UTC" if side["ref"] else say("has not signed")]
    told += [say("late")] if side["late"] else []
    if isinstance(reason := side["reason"], dict):
        told.append(words(REASONS, reason["why"], language))
        told += [f"{say('until')} {reason['until']}"] if reason["until"] else []
        told += [str(reason[name]) for name in ("document", "note") if reason[name]]
    return (title or words(ROLES, role, language), who, ", ".join(told))


def _named(row: PassportView) -> tuple[object, object, object]:
    return (row["document"], at(row, "template", "publisher"), at(row, "template", "name"))
