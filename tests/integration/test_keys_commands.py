"""`passport-node keys` about a node that does not run: under the folder's lock, in both languages."""

import subprocess
from pathlib import Path

import pytest

from tests.nodes import PORTS, command

pytestmark = pytest.mark.slow


def typed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `passport-node keys` about a node."""
    return command("keys", *arguments, "--folder", str(folder))


def said(folder: Path, *arguments: str) -> str:
    """What a command that goes well prints."""
    done = typed(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_root_keys_go_apart_are_drilled_and_rotated(tmp_path: Path) -> None:
    """From the day of `init` to a rotated key on a medium, with what `status` says on the way."""
    node, medium, second = tmp_path / "node", tmp_path / "medium", tmp_path / "second"
    ports = [part for name, port in PORTS.items() for part in (f"--{name.replace('_', '-')}", port)]
    assert command("init", str(node), "--name", "МУП «Ключи»", *ports).returncode == 0
    assert "root.key лежит на этой машине" in said(node, "status", "--language", "ru")

    said(node, "move", str(medium))
    apart = ("--root-key", str(medium), "--next-key", str(medium))
    drilled = said(node, "drill", *apart, "--language", "ru")
    assert drilled.splitlines()[-1] == "Настоящая цепочка не тронута."

    said(node, "rotate", "--next-key", str(medium), "--to", str(second))

    after = said(node, "status")
    assert "lies on this machine" not in after
    third = tmp_path / "third"  # as if the power had gone before the files were written
    third.mkdir()
    (third / "following-root.key").write_bytes((second / "next-root.key").read_bytes())
    assert "in force" in said(node, "rotate", "--next-key", str(medium), "--to", str(third))
    assert said(node, "status") == after
    assert [path.read_bytes() for path in sorted(third.iterdir())] == [
        path.read_bytes() for path in sorted(second.iterdir())
    ]
    assert {path.name for path in second.iterdir()} == {"root.key", "next-root.key"}
    assert (second / "root.key").read_bytes() == (medium / "next-root.key").read_bytes()
    own = next(line.split()[1] for line in after.splitlines() if line.startswith("node"))
    old = typed(node, "end-node", own, "--reason", "lost", "--root-key", str(medium), "--language", "ru")
    assert (old.returncode, "это утвердить нельзя" in old.stderr) == (1, True)
    unnamed = typed(node, "end-node", "", "--reason", "lost", "--root-key", str(second))
    assert (unnamed.returncode, "too short for the id" in unnamed.stderr) == (1, True)
    said(node, "end-node", own[:6], "--reason", "lost", "--root-key", str(second))
    assert "this node is ended" in said(node, "status")


def test_node_waits_for_its_organisation(tmp_path: Path) -> None:
    """A further node does not start before it is stated, and takes no answer that does not state it."""
    first, further = tmp_path / "first", tmp_path / "further"
    request, answer = tmp_path / "request.txt", tmp_path / "answer.txt"
    assert command("init", str(first), "--name", "МУП «Два»").returncode == 0
    done = command("init", str(further), "--name", "МУП «Два»", "--organisation-of", str(request))
    assert done.returncode == 0, done.stderr
    assert not (further / "root.key").exists()
    waiting = command("serve", "--folder", str(further))
    assert (waiting.returncode, "waits for its organisation" in waiting.stderr) == (1, True)

    said(first, "state-node", str(request), "--to", str(answer))
    said(further, "take", str(answer))

    assert said(further, "status").count("live") == 2
    answer.write_text(answer.read_text()[:-9])
    damaged = typed(further, "take", str(answer))
    assert (damaged.returncode, "damaged" in damaged.stderr) == (1, True)
