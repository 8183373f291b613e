"""Writes the vectors of docs/protocol.md, and its tables: `python -m tests.vectors.protocol.generate`.

The keys come from fixed seeds, so that a second run writes equal files.
"""

from pathlib import Path

from federation.words import WORDS
from tests.vectors.protocol import (
    admission,
    boxes,
    claims,
    contents,
    directory,
    entries,
    erasures,
    exchange,
    headers,
    kinds,
    memberships,
    organisations,
    plates,
    primitives,
    proofs,
    sections,
    trees,
    withdrawals,
)

WORDS_BEGIN, WORDS_END = "<!-- words -->", "<!-- /words -->"
FOLDER = Path(__file__).parent
PAGE = FOLDER.parent.parent.parent / "docs" / "protocol.md"


def vector_texts() -> dict[str, str]:
    """Every file's name and text."""
    modules = (
        primitives,
        trees,
        organisations,
        admission,
        headers,
        entries,
        contents,
        plates,
        claims,
        proofs,
        sections,
        withdrawals,
        erasures,
        memberships,
        exchange,
        directory,
        boxes,
    )
    return {f"{file.object}.json": file.to_text() for module in modules for file in module.files()}


def page_text(page: str) -> str:
    """The page with its table of kinds and its lists of words written anew."""
    return _between(_between(page, kinds.BEGIN, kinds.table(), kinds.END), WORDS_BEGIN, _words(), WORDS_END)


def _between(page: str, begin: str, text: str, end: str) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}{end}{after}"


def _words() -> str:
    """The lists, 16 words a line: a line for each first hex digit of the byte."""
    lists = ("\n".join(" ".join(WORDS[name][at : at + 16]) for at in range(0, 256, 16)) for name in ("ru", "en"))
    return "```\n{}\n\n{}\n```\n".format(*lists)


def main() -> None:
    """Write the files; remove those that no object has any more."""
    texts = vector_texts()
    for path in FOLDER.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text)
    PAGE.write_text(page_text(PAGE.read_text()))


if __name__ == "__main__":
    main()
