"""Keeping what is in a node's memory out of files that the system writes when it crashes."""

import ctypes
import resource

PR_SET_DUMPABLE = 4


def leave_no_dump() -> None:
    """Forbid core dumps of this process, and other processes of its user to read its memory, where the system can.

    A limit of zero is not obeyed where dumps go into a pipe; what is not dumpable is dumped into none.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
