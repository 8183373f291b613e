"""Writes the tables of docs/profiles.md from the shipped profiles: `python -m tests.profiles_page`."""

from pathlib import Path

from node.passport.profiles import shipped_profiles
from node.web.passport_words import CLASSES, words
from node.web.role_words import ROLES
from tests.extracts import SECTIONS, shown

PAGE = Path(__file__).parent.parent / "docs" / "profiles.md"
YES, NO = "yes", "—"


def table() -> str:
    """A row for each row of each profile."""
    lines = ["| profile | for | headers of all | kinds | sections | classes |", "|---|---|---|---|---|---|"]
    for name, profile in shipped_profiles().items():
        roles = ", ".join(words(ROLES, role, "en") for role in profile.roles) or "—"
        for row in profile.rows:
            classes = ", ".join(words(CLASSES, str(klass), "en") for klass in row.classes)
            sections = ", ".join(f"`{section}`" for section in row.sections)
            kinds = ", ".join(row.kinds)
            headers = "yes" if profile.headers else "no"
            lines.append(f"| {name} {profile.version} | {roles} | {headers} | {kinds} | {sections} | {classes} |")
    return "\n".join(lines)


def extracts() -> str:
    """A row for each section that may be said of a device: whether it stands in an extract under each profile."""
    names = list(shipped_profiles())
    named = {name: shown(name) for name in names}
    lines = [
        "| statement | section | class |" + "".join(f" {name} |" for name in names),
        "|" + "---|" * (3 + len(names)),
    ]
    for said in dict.fromkeys(SECTIONS):
        cells = [YES if (int(said.kind), said.section) in named[name] else NO for name in names]
        kind, klass = said.kind.name.lower(), words(CLASSES, str(int(said.klass)), "en")
        lines.append(f"| {kind} | `{said.section}` | {klass} |" + "".join(f" {cell} |" for cell in cells))
    return "\n".join(lines)


def read_extracts(text: str) -> dict[str, frozenset[tuple[str, str]]]:
    """The table of a page: kind and section of all that stands in an extract, by profile."""
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in _between(text, "extracts").splitlines()
    ]
    head, _, *body = rows
    return {
        name: frozenset((row[0], row[1]) for row in body if row[at] == YES)
        for at, name in enumerate(head)
        if at > 2  # kind, section, class
    }


def page(text: str) -> str:
    """The page with its tables made anew."""
    for mark, made in (("profiles", table()), ("extracts", extracts())):
        head, begin, _ = text.partition(f"<!-- {mark} -->\n")
        end, rest = text.partition(f"\n<!-- /{mark} -->")[1:]
        text = f"{head}{begin}{made}{end}{rest}"
    return text


def _between(text: str, mark: str) -> str:
    return text.partition(f"<!-- {mark} -->\n")[2].partition(f"\n<!-- /{mark} -->")[0]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
