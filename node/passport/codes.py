"""What a scanned code says about identity: GS1 element strings and links, IEC 61406 links."""

import itertools
import re
from urllib.parse import unquote, urlsplit

from node.passport.claims import GIAI_ISSUER, GRAI_ISSUER, Claim, Scheme
from node.passport.errors import ClaimError

_SYMBOLOGY = re.compile(r"\](?:d2|Q3|C1|e0)")
_BRACKETED = re.compile(r"\((\d{2,4})\)([^()]*)")
_GROUP_END = "\x1d"
_DATES = re.compile(r"^(?:1[1-7]\d{6})+")  # AIs 11 to 17 are dates of fixed length


def claim_of_code(text: str) -> Claim | None:
    """The claim that a scanned text carries, or None if it identifies no single thing.

    Understood are `(01)GTIN(21)serial`, the same without brackets as scanners send it, GS1 Digital Links with
    /01/GTIN/21/serial, 8003 and 8004, and any other http(s) link as IEC 61406. A label of ours is no claim: it holds
    a device id already.
    """
    values = _element_string(text)
    is_link = text[:8].lower().startswith(("http://", "https://"))
    if not values and is_link:
        values = _digital_link(text)
    try:
        if claim := _gs1_claim(values):
            return claim
        return Claim(Scheme.IEC61406, "", text) if is_link and "/d/EPP1-" not in text else None
    except ClaimError:
        return None


def _gs1_claim(values: dict[str, str]) -> Claim | None:
    for issuer in (GRAI_ISSUER, GIAI_ISSUER):
        if issuer in values:
            return Claim(Scheme.GS1, issuer, values[issuer])
    if "01" in values and "21" in values:
        return Claim(Scheme.GS1, values["01"].rjust(14, "0"), values["21"])
    return None


def _element_string(text: str) -> dict[str, str]:
    if text.startswith("("):
        return dict(_BRACKETED.findall(text))
    bare = _SYMBOLOGY.sub("", text, count=1).lstrip(_GROUP_END)
    if not re.match(r"01\d{14}", bare):
        return {}
    rest = _DATES.sub("", bare[16:].lstrip(_GROUP_END), count=1)
    return {"01": bare[2:16], "21": rest[2:].split(_GROUP_END)[0]} if rest.startswith("21") else {}


def _digital_link(text: str) -> dict[str, str]:
    try:
        parts = [unquote(part) for part in urlsplit(text).path.split("/") if part]
    except ValueError:
        return {}
    pairs = dict(itertools.pairwise(parts))
    return {key: pairs[key] for key in ("01", "21", GRAI_ISSUER, GIAI_ISSUER) if key in pairs}
