"""Writes the table of docs/profiles.md from the shipped profiles: `python -m tests.profiles_page`."""

from pathlib import Path

from node.passport.profiles import shipped_profiles
from node.web.passport_words import CLASSES, words
from node.web.role_words import ROLES

PAGE = Path(__file__).parent.parent / "docs" / "profiles.md"
BEGIN, END = "<!-- profiles -->", "<!-- /profiles -->"


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


def page(text: str) -> str:
    """The page with its table made anew."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
