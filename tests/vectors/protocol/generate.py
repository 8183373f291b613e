"""Writes the vectors of docs/protocol.md and its table of kinds: `python -m tests.vectors.protocol.generate`.

The keys come from fixed seeds, so that a second run writes equal files.
"""

from pathlib import Path

from tests.vectors.protocol import (
    admission,
    claims,
    contents,
    entries,
    exchange,
    headers,
    kinds,
    organisations,
    plates,
    primitives,
    proofs,
    sections,
    trees,
    withdrawals,
)

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
        exchange,
    )
    return {f"{file.object}.json": file.to_text() for module in modules for file in module.files()}


def page_text(page: str) -> str:
    """The page with its table of kinds written anew."""
    before, _, rest = page.partition(kinds.BEGIN)
    _, _, after = rest.partition(kinds.END)
    return f"{before}{kinds.BEGIN}\n{kinds.table()}{kinds.END}{after}"


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
