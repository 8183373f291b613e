"""Processes of tests: a repair between an owner, a workshop and a lab, and what is said while it runs."""

from dataclasses import replace

from node.passport import drafts
from node.passport.bodies import AgreementBody, EventBody, ExtractBody, Place, Reference, RunBody, TemplateRef, Why
from node.passport.canonical import dump_json
from node.passport.drafts import Draft
from node.passport.procedures import digest_of
from node.passport.runs import run_id
from tests.builders import id16
from tests.builders_passport import Author

NONCE = id16("nonce")


def titled(text: str) -> dict[str, str]:
    """A title in one language."""
    return {"ru": text}


REPAIR: dict[str, object] = {
    "code": "repair",
    "version": "1",
    "title": {"ru": "Ремонт", "en": "Repair"},
    "kinds": ["device"],
    "roles": [
        {"code": "workshop", "title": titled("Мастерская")},
        {"code": "lab", "title": titled("Лаборатория")},
    ],
    "steps": [
        {"code": "diagnose", "title": titled("Диагностика"), "role": "workshop", "days": 3, "next": "replace"},
        {"code": "replace", "title": titled("Замена"), "role": "workshop", "event": "repaired", "next": "verify"},
        {
            "code": "verify",
            "title": titled("Поверка"),
            "role": "lab",
            "protocol": {"name": "verification"},
            "outcomes": [
                {"code": "fit", "title": titled("Годен"), "event": "verified", "next": "accept"},
                {"code": "unfit", "title": titled("Негоден"), "event": "rejected", "next": "replace"},
            ],
        },
        {"code": "accept", "title": titled("Приёмка"), "role": "owner"},
    ],
}


def procedure_bytes(**changes: object) -> bytes:
    """The repair as it is published, with members of it changed."""
    return dump_json({**REPAIR, **changes})


def agreement(author: Author, raw: bytes, says: str = "accepted") -> Draft:
    """An organisation accepts a procedure, or ends that."""
    return drafts.agreement(author.org, AgreementBody.model_validate({"procedure": digest_of(raw), "says": says}), 0)


def opening(subject: bytes, raw: bytes, **roles: Author) -> Draft:
    """A process is opened with these organisations in its roles."""
    named = {code: author.org.hex() for code, author in roles.items()}
    return drafts.run(
        subject, RunBody(says="opened", nonce=NONCE.hex(), procedure=digest_of(raw), roles=named, number="Р-7"), 0
    )


def move(subject: bytes, owner: Author, n: int, says: str = "done", **more: object) -> Draft:
    """A move of the run that an owner opened."""
    body = {"says": says, "n": n, "run": run_id(owner.org, NONCE), **more}
    return drafts.run(subject, RunBody.model_validate(body), 0)


def paper(subject: bytes, owner: Author, n: int, event: str = "verified", name: str = "verification") -> Draft:
    """A protocol of the lab for the step `verify`."""
    template = TemplateRef(name=name, version="1", publisher=id16("lab").hex(), id=id16("t").hex())
    what = EventBody(what=Reference(central=event), where=Place(place=Reference(local="лаборатория")), system="стенд")
    why = Why(process="repair", step="verify", run=run_id(owner.org, NONCE), n=n)
    draft = drafts.protocol(subject, template, b"{}", None, ExtractBody(events=(what,)), 0)
    return replace(draft, sections=(*draft.sections, drafts.section("why", why)))
