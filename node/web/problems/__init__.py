"""The texts of problems by their stable codes, in Russian and English: what is wrong and what to do.

`detail` says this occurrence with the error's values in braces; without one, or without the values, the error's own
message stands there.
"""

from node.web.problems import (
    access,
    backups,
    boxes,
    catalogs,
    door,
    federation,
    labels,
    papers,
    parties,
    passports,
    processes,
    radio,
    registers,
)
from node.web.problems.text import ProblemText, Words

__all__ = ["PROBLEMS", "ProblemText", "Words", "find_text"]

PROBLEMS: dict[str, ProblemText] = {
    **door.PROBLEMS,
    **access.PROBLEMS,
    **backups.PROBLEMS,
    **federation.PROBLEMS,
    **boxes.PROBLEMS,
    **parties.PROBLEMS,
    **passports.PROBLEMS,
    **labels.PROBLEMS,
    **catalogs.PROBLEMS,
    **papers.PROBLEMS,
    **registers.PROBLEMS,
    **processes.PROBLEMS,
    **radio.PROBLEMS,
}


def find_text(code: str, general: str = "internal") -> ProblemText:
    """The texts of a code, or those of a more general one."""
    return PROBLEMS.get(code) or PROBLEMS.get(general) or PROBLEMS["internal"]
