"""Root keys as files, what is signed with them, and the drill."""

from pathlib import Path

import pytest

from federation.errors import StatementError
from federation.keys import key_hash
from federation.organisation import Chain, sign_next
from federation.statements import KeyBody, NodeBody
from node.errors import FolderError, KeystoreError, StateError
from node.root_keys import NEXT, ROOT, move_root_keys, read_root_key, write_root_key
from node.services.drill import drill
from tests.builders import found, id16, seed, signing_key
from tests.fakes import FakeRandom

LINE = found().node("node")
ROOT_KEY, PROMISED = signing_key("root-0"), signing_key("root-1")


def test_keys_are_moved_whole_and_are_gone_here(tmp_path: Path) -> None:
    """What lies elsewhere is what lay here, for the owner alone, and nothing of it stays."""
    here, there = tmp_path / "node", tmp_path / "medium"
    for name in (ROOT, NEXT):
        write_root_key(here, name, seed(name))

    moved = move_root_keys(here, there, (ROOT, NEXT))

    assert [path.read_bytes() for path in moved] == [seed(ROOT), seed(NEXT)]
    assert {path.stat().st_mode & 0o777 for path in moved} == {0o600}
    assert list(here.iterdir()) == []


def test_keys_are_not_moved_over_others(tmp_path: Path) -> None:
    """A medium that holds another key, the node's own folder, and a folder without keys are refused; all keys stay."""
    here, there = tmp_path / "node", tmp_path / "medium"
    write_root_key(here, ROOT, seed("mine"))
    write_root_key(there, ROOT, seed("other"))

    for target, names in ((there, (ROOT,)), (here, (ROOT,)), (tmp_path / "new", (NEXT,))):
        with pytest.raises(FolderError):
            move_root_keys(here, target, names)

    assert (here / ROOT).read_bytes() == seed("mine")
    assert (there / ROOT).read_bytes() == seed("other")


def test_file_that_is_no_root_key_is_refused(tmp_path: Path) -> None:
    """A missing file and one of another size are told with what to do."""
    (tmp_path / ROOT).write_bytes(b"short")

    with pytest.raises(KeystoreError, match="5 bytes"):
        read_root_key(tmp_path)
    with pytest.raises(FolderError, match="name the folder"):
        read_root_key(tmp_path, NEXT)


def test_statement_is_signed_only_where_it_would_stand() -> None:
    """A retired key, a second statement of a node and a rotate that brings no promised key are refused before."""
    chain = Chain(LINE.rotate("root-1", "root-2").statements)
    body = NodeBody(id16("new"), signing_key("new").public)

    for key, refused in (
        (ROOT_KEY, body),
        (PROMISED, NodeBody(id16("node"), signing_key("x").public)),
        (signing_key("y"), KeyBody(signing_key("y").public, key_hash(signing_key("z").public))),
    ):
        with pytest.raises(StatementError):
            sign_next(chain, key, refused)

    assert Chain([*chain.path, sign_next(chain, PROMISED, body)]).node(id16("new")) is not None


def test_rotate_after_an_earlier_statement_voids_those_of_a_thief() -> None:
    """The owner keeps what he names, and all that a thief of the root key stated after it is disowned."""
    chain = Chain(LINE.node("thief").statements)

    back = sign_next(chain, PROMISED, KeyBody(PROMISED.public, key_hash(signing_key("root-2").public)), after=1)

    healed = Chain([*chain.path, back])
    assert healed.root_key == PROMISED.public
    thief, mine = healed.node(id16("thief")), healed.node(id16("node"))
    assert thief is not None
    assert thief.disowned
    assert mine is not None
    assert mine.ended is None


def test_drill_proves_each_step_and_touches_nothing() -> None:
    """Five steps, told in both languages, over the statements as they are."""
    before = [statement.envelope() for statement in LINE.statements]

    steps = list(drill(LINE.statements, ROOT_KEY, PROMISED, FakeRandom(1)))

    assert len(steps) == 5
    assert all(step.ru and step.en and step.ru != step.en for step in steps)
    assert [statement.envelope() for statement in LINE.statements] == before


@pytest.mark.parametrize(("root", "promised"), [("root-1", "root-1"), ("root-0", "root-2")])
def test_drill_with_other_keys_fails_at_once(root: str, promised: str) -> None:
    """That the keys at hand are those of the chain is the first thing a drill finds out."""
    with pytest.raises(StateError, match="is not the"):
        list(drill(LINE.statements, signing_key(root), signing_key(promised), FakeRandom(1)))


def test_drill_goes_on_after_a_rotation() -> None:
    """The keys that a rotation brought pass the drill too."""
    line = LINE.rotate("root-1", "root-2").end("node")

    assert list(drill(line.statements, PROMISED, signing_key("root-2"), FakeRandom(2)))
