"""A passport as a set of typed links (RFC 9264, 4.2), in the shape that resolvers of GS1 Digital Links answer.

The context of every link is the link on the label. Relations are registered ones and those of the GS1 Web Vocabulary,
which are spelled whole. Each target says its media type and languages.
"""

from collections.abc import Sequence

from node.passport.canonical import dump_json
from node.passport.view import Plain

MEDIA_TYPE = "application/linkset+json"
GS1_PAGE = "https://gs1.org/voc/pip"  # information about the product
GS1_DEFAULT = "https://gs1.org/voc/defaultLink"
# Makes JSON-LD of the linkset (GS1-Conformant Resolver standard, link header of a linkset).
CONTEXT_LINK = (
    '<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"; '
    'type="application/ld+json"'
)


def write_linkset(anchor: str, title: str, languages: Sequence[str], others: Sequence[str] = ()) -> bytes:
    """The linkset of a passport: its page in each language; `others` are links of further ids that it has."""
    pages: list[Plain] = [_page(f"{anchor}?lang={language}", title, [language]) for language in languages]
    whole = _page(anchor, title, list(languages))
    links: dict[str, Plain] = {
        "anchor": anchor,
        "describedby": [whole],
        "alternate": pages,
        "canonical": [{"href": anchor}],
        GS1_DEFAULT: [whole],
        GS1_PAGE: [whole, *pages],
    }
    if others:
        # One thing with several ids: each of their links leads to this passport.
        links["related"] = [{"href": other, "title": title} for other in others]
    return dump_json({"linkset": [links]})


def link_header(address: str, anchor: str) -> str:
    """The header Link of a page: where its linkset is, and its own address."""
    return f'<{address}>; rel="linkset"; type="{MEDIA_TYPE}", <{anchor}>; rel="canonical"'


def _page(address: str, title: str, languages: Sequence[str]) -> dict[str, Plain]:
    return {"href": address, "title": title, "type": "text/html", "hreflang": [*languages]}
