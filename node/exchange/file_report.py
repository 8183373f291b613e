"""What a checked passport file is told as: who wrote it, who signed what, what is withheld, what does not hold."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from federation.genesis import fingerprint
from node.exchange.errors import PassportFileError
from node.exchange.passport_check import Checked, Finding, check_file
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, rows, text

ALIKE = str.maketrans("авсеоo", "abce00")  # letters as a keyboard of another language has them
FINGERPRINT = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Report:
    """Lines for a person, and what is wrong."""

    lines: Sequence[str]
    findings: Sequence[Finding]


def report_file(raw: bytes, expected: str = "") -> Report:
    """Check a file and tell of it; raise PassportFileError. `expected` is the federation's fingerprint, if known."""
    mark, checked = _plain(expected), check_file(raw)
    findings = list(checked.findings)
    if mark and (checked.genesis is None or mark != checked.genesis.id.hex()):
        findings.append(Finding("federation", "its fingerprint is another one"))
    return Report([*_head(checked), *_federation(checked, expected), *_signers(checked), *_withheld(checked)], findings)


def _head(checked: Checked) -> list[str]:
    manifest, view = checked.manifest, checked.view
    made = datetime.fromtimestamp(manifest.made // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    told = [f"passport    {text(view, 'title')}  {text(view, 'state', 'code')}"]
    told += [f"device      {format_device_id(SubjectId(subject))}" for subject in manifest.subjects]
    told.append(f"written     {made} by node {manifest.node.hex()} of {_name(checked, manifest.org)}")
    if manifest.party is not None:
        told.append(f"for         {_name(checked, manifest.party)}: only what it may read")
    told.append(f"digest      {manifest.digest.hex()}")
    return told


def _federation(checked: Checked, expected: str) -> list[str]:
    if checked.genesis is None:
        return ["federation  none: consistent, not rooted"]
    rooted = "as expected" if expected else "compare it by voice: without it the file is consistent, not rooted"
    return [f"federation  {checked.genesis.name}  {fingerprint(checked.genesis.id)}  ({rooted})"]


def _signers(checked: Checked) -> list[str]:
    about = Counter(checked.logs[entry.log].org for entry in checked.entries if not entry.is_publication)
    published = sum(entry.is_publication for entry in checked.entries)
    told = [f"signed      {count} fragments by {_name(checked, org)}" for org, count in sorted(about.items())]
    told.append(f"beside them {published} publications by which they are judged")
    told.append(f"proven      {checked.proven} of {len(checked.entries)} under checkpoints of {len(checked.logs)} logs")
    return told


def _withheld(checked: Checked) -> list[str]:
    counts: Counter[tuple[str, str]] = Counter()
    for statement in rows(checked.view, "statements"):
        for section in rows(statement, "sections"):
            if not section["present"]:
                counts[(str(section["name"]), str(section["class"]))] += 1
    return [f"withheld    {count} × {name} (class {klass})" for (name, klass), count in sorted(counts.items())]


def _name(checked: Checked, org: bytes) -> str:
    name = at(checked.view, "signers", org.hex(), "name")
    return f"{name} ({org.hex()})" if name else org.hex()


def _plain(typed: str) -> str:
    """A fingerprint as it was typed, in hex: a slip of the pen accuses no file."""
    plain = re.sub(r"[\s:.-]", "", typed.lower().translate(ALIKE))
    if plain and not FINGERPRINT.fullmatch(plain):
        raise PassportFileError("a fingerprint has eight groups of four hex digits, as the page of peers shows it")
    return plain
