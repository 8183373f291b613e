"""The product answers every vector of docs/protocol.md as the file says."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from federation import codec
from federation.authority import Attestation, Authority, unpack_erase, unpack_log_keys, unpack_witnesses
from federation.checkpoint import verify_checkpoint
from federation.cut import Cut
from federation.directory import (
    Seats,
    alias_key,
    bucket_digest,
    bucket_of,
    by_bucket,
    join_marks,
    list_digest,
    split_marks,
)
from federation.errors import FederationError, InvitationError, RequestError, StatementError, TransportError, VoidError
from federation.forks import TWO_HEADERS, SignedHeader, verify_fork_proof
from federation.fragment import (
    VERSION,
    Fragment,
    Header,
    Ref,
    Section,
    SectionHead,
    check_sections,
    check_signature,
    commitment,
    decode_fragment,
    decode_header,
    fragment_id,
    section_content,
)
from federation.genesis import Genesis, fingerprint
from federation.invitation import parse_invitation
from federation.keys import BoxKey, check_key, key_hash, key_id, verify_hash
from federation.log import decode_log_statement
from federation.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from federation.organisation import Chain, NodeEntry
from federation.request import (
    ReplayWindow,
    Request,
    RequestSignature,
    StaleError,
    response_hash,
    verify_request,
    verify_response,
)
from federation.sealing import open_section
from federation.statements import RootStatement, decode_root_statement
from federation.sync.announcing import Announced
from federation.sync.claiming import Claim, Claimed, claim_hash
from federation.sync.following import NOTHING, FollowAsked, moved
from federation.sync.frames import Answered, Asked, Noticed, decode_frame
from federation.words import fingerprint_bytes
from node.passport.attestations import count_attestations
from node.passport.boxes import box_number, parse_code
from node.passport.claims import decode_claim
from node.passport.erasures import Target, Word, erased_of
from node.passport.errors import PassportError
from node.passport.ids import parse_device_id, parse_label_url
from node.passport.plate import plate_text
from node.passport.serials import Part, SerialPattern
from node.passport.standing import count_standings
from node.passport.statement import Statement
from node.passport.withdrawals import find_withdrawn
from tests.vectors.protocol.generate import FOLDER, PAGE, page_text, vector_texts

# A vector's input is JSON of a form that its object fixes; the answer is what the file expects and gives.
Given = Mapping[str, Any]
Answer = tuple[str, dict[str, Any]]

FILES = sorted(FOLDER.glob("*.json"))
WITHOUT_REFUSALS = {
    "merkle-root",
    "commitment",
    "cut-effect",
    "replay",
    "withdrawal-effect",
    "erasure-effect",
    "membership",
}


def cases() -> list[Any]:
    found = []
    for path in FILES:
        vectors = json.loads(path.read_text())
        found += [pytest.param(vectors["object"], case, id=f"{path.stem}: {case['name']}") for case in vectors["cases"]]
    return found


@pytest.mark.parametrize(("kind", "case"), cases())
def test_vector_is_answered_as_the_file_says(kind: str, case: Mapping[str, Any]) -> None:
    """The product accepts, refuses and reads each case as the file says."""
    expect, gives = answer(kind, case["input"])

    assert expect == case["expect"], case["why"]
    assert {name: gives[name] for name in case.get("gives", {})} == case.get("gives", {})


def test_vector_files_are_what_the_generator_writes() -> None:
    """The committed files and the table of kinds equal what the generator writes, twice."""
    assert vector_texts() == vector_texts() == {path.name: path.read_text() for path in FILES}
    assert page_text(PAGE.read_text()) == PAGE.read_text()


def test_every_object_has_vectors_of_both_kinds() -> None:
    """Each file has a case that is accepted, and each but those without refusals has one that is not."""
    for path in FILES:
        found = Counter(case["expect"] == "accept" for case in json.loads(path.read_text())["cases"])
        assert found[True], path.name
        assert found[False] or path.stem in {
            "merkle-root",
            "commitment",
            "cut-effect",
            "replay",
            "withdrawal-effect",
            "erasure-effect",
            "membership",
        }, path.name


def test_protocol_page_names_every_object() -> None:
    """docs/protocol.md describes the input of each vector file."""
    page = PAGE.read_text()
    for path in FILES:
        assert f"`{path.stem}`" in page, path.stem


def answer(kind: str, given: Given) -> Answer:
    """What the product says: the word of the file, and what it read."""
    try:
        return READERS[kind](given)
    except VoidError:
        return "void", entry_of(given) if kind == "fragment" else {}
    except TransportError:
        return "transport", {}
    except StaleError:
        return "stale", {}
    except (FederationError, PassportError):
        return "refuse", {}


def raw(given: Given, name: str) -> bytes:
    return bytes.fromhex(given[name])


def read_msgpack(given: Given) -> Answer:
    value = codec.unpack(raw(given, "bytes"))
    assert codec.pack(value) == raw(given, "bytes")
    return "accept", {}


def read_text(given: Given) -> Answer:
    codec.text(codec.unpack(raw(given, "bytes")), "text")
    return "accept", {}


def read_key(given: Given) -> Answer:
    key = check_key(raw(given, "key"), given["algorithm"], "key")
    return "accept", {"hash": key_hash(key).hex(), "id": key_id(key).hex()}


def read_signature(given: Given) -> Answer:
    valid = verify_hash(raw(given, "key"), raw(given, "signature"), given["what"], raw(given, "hash"))
    return ("accept" if valid else "refuse"), {}


def read_root(given: Given) -> Answer:
    return "accept", {"root": root_of([leaf_hash(bytes.fromhex(leaf)) for leaf in given["leaves"]]).hex()}


def read_inclusion(given: Given) -> Answer:
    path = [bytes.fromhex(item) for item in given["path"]]
    verify_inclusion(raw(given, "leaf"), given["seq"], given["size"], path, raw(given, "root"))
    return "accept", {}


def read_consistency(given: Given) -> Answer:
    path = [bytes.fromhex(item) for item in given["path"]]
    verify_consistency(given["old"], raw(given, "old_root"), given["new"], raw(given, "new_root"), path)
    return "accept", {}


def cut_of(text: str) -> Cut:
    return Cut.from_value(codec.unpack(bytes.fromhex(text)))


def read_cut(given: Given) -> Answer:
    cut = cut_of(given["cut"])
    assert codec.pack(cut.to_value()).hex() == given["cut"]
    return "accept", {}


def read_widening(given: Given) -> Answer:
    return ("accept" if cut_of(given["new"]).widens(cut_of(given["old"])) else "refuse"), {}


def read_effect(given: Given) -> Answer:
    *earlier, last = [cut_of(text) for text in given["cuts"]]
    roots = {int(size): bytes.fromhex(root) for size, root in given["roots"].items()}
    entry = NodeEntry(b"", b"", last, earlier=tuple(earlier))
    return "accept", {"counted_size": entry.counted_size(raw(given, "log"), roots.get)}


def read_withdrawal(given: Given) -> Answer:
    def place(told: Given) -> Ref:
        return Ref(raw(told, "log"), told["seq"], raw(told, "id16"))

    said = [
        Statement(
            place(one),
            raw(one, "id16"),
            raw(one, "org"),
            one["kind"],
            tuple(map(bytes.fromhex, one["subjects"])),
            one["stamp"],
            0,
            tuple(map(place, one["refs"])),
            withheld=tuple((section["name"], 2) for section in one["sections"]),
        )
        for one in given["statements"]
    ]

    def told(ref: Ref) -> dict[str, object]:
        return {"log": ref.log.hex(), "seq": ref.seq, "id16": ref.id16.hex()}

    found = sorted(find_withdrawn(said).items())
    return "accept", {"withdrawn": [{"of": told(ref), "by": told(word.ref)} for ref, word in found]}


def read_membership(given: Given) -> Answer:
    genesis = Genesis.from_bytes(raw(given, "genesis"))
    said = [
        Statement(
            Ref(raw(one, "log"), one["seq"], raw(one, "id16")),
            raw(one, "id16"),
            raw(one, "org"),
            one["kind"],
            tuple(map(bytes.fromhex, one["subjects"])),
            one["stamp"],
            0,
            tuple(Ref(raw(ref, "log"), ref["seq"], raw(ref, "id16")) for ref in one["refs"]),
            sections={name: bytes.fromhex(content) for name, content in one["sections"].items()},
        )
        for one in given["statements"]
    ]
    standings = count_standings(said, genesis, count_attestations(said, genesis))
    roots = {int(size): bytes.fromhex(root) for size, root in given["roots"].items()}
    lost = sorted((org, loss.counted_size(raw(given, "log"), roots.get)) for org, loss in standings.losses.items())
    return "accept", {
        "standings": [{"org": stand.org.hex(), "standing": stand.standing.value} for stand in standings],
        "counted": [{"org": org.hex(), "size": size} for org, size in lost],
    }


def read_root_statement(given: Given) -> Answer:
    statement = decode_root_statement(raw(given, "envelope"))
    assert statement.envelope() == raw(given, "envelope")
    return "accept", {"hash": statement.hash.hex(), "org": statement.org_id.hex(), "n": statement.n}


def state_of(entry: NodeEntry) -> str:
    if entry.disowned:
        return "disowned"
    return "live" if entry.ended is None else "ended"


def cuts_of(entry: NodeEntry) -> list[str]:
    cuts = () if entry.ended is None else (*entry.earlier, entry.ended)
    return [codec.pack(cut.to_value()).hex() for cut in cuts]


def read_chain(given: Given) -> Answer:
    found = statements_of(given)
    statements = [statement for statement in found if statement]
    chain = Chain(statements, [bytes.fromhex(text) for text in given["attested"]])
    nodes = [chain.nodes[node] for node in sorted(chain.nodes)]
    return "accept" if chain.fork is None else "fork", {
        "org": chain.org_id.hex(),
        "counted": [statement.hash.hex() for statement in chain.path],
        "fork": chain.fork.n if chain.fork else None,
        "root_key": chain.root_key.hex(),
        "nodes": [node_of(entry) for entry in nodes],
        "refused": [place for place, said in enumerate(found) if said is None or is_refused(said, chain, statements)],
    }


def node_of(entry: NodeEntry) -> dict[str, Any]:
    return {
        "node": entry.node.hex(),
        "sign_key": entry.sign_key.hex(),
        "state": state_of(entry),
        "cuts": cuts_of(entry),
    }


def statements_of(given: Given) -> list[RootStatement | None]:
    """The statements as they come from a peer; None for one that cannot be read."""
    found: list[RootStatement | None] = []
    for text in given["statements"]:
        try:
            found.append(decode_root_statement(bytes.fromhex(text)))
        except StatementError:
            found.append(None)
    return found


def is_refused(statement: RootStatement, chain: Chain, statements: list[RootStatement]) -> bool:
    """Whether no copy of the statement stands, whatever its signature."""
    refused = {refused.envelope() for refused, _ in chain.refused}
    return all(copy.envelope() in refused for copy in statements if copy.hash == statement.hash)


def read_log_statement(given: Given) -> Answer:
    statement = decode_log_statement(raw(given, "envelope"))
    statement.check_signed_by(raw(given, "sign_key"))
    return "accept", {"hash": statement.hash.hex(), "log": statement.log_id.hex()}


def read_admission(given: Given) -> Answer:
    statement = decode_log_statement(raw(given, "log_statement"))
    try:
        chain = Chain(filter(None, statements_of(given)))
    except StatementError:
        return "pending", {}
    if statement.org != chain.org_id:
        raise StatementError("the log is of another organisation")
    entry = chain.node(statement.node)
    if entry is None:
        return "pending", {}
    statement.check_signed_by(entry.sign_key)
    others = [decode_log_statement(bytes.fromhex(text)) for text in given.get("logs", ())]
    statement.check_keys_are_new(other for other in others if chain.counts(other.node))
    return "accept", {"node_state": state_of(entry)}


def read_header(given: Given) -> Answer:
    header = decode_header(raw(given, "header"), raw(given, "log"), given["seq"])
    assert header.version > VERSION or header.to_bytes() == raw(given, "header")
    return "accept", {"id": fragment_id(raw(given, "header")).hex(), "version": header.version}


def entry_of(given: Given) -> dict[str, Any]:
    fragment = decode_fragment(raw(given, "fragment"))
    return {"id": fragment.id.hex(), "leaf": fragment.leaf.hex()}


def read_fragment(given: Given) -> Answer:
    fragment = decode_fragment(raw(given, "fragment"))
    assert fragment.to_bytes() == raw(given, "fragment")
    check_place(given, fragment)
    header = decode_header(fragment.header, raw(given, "log"), given["seq"])
    check_signature(fragment, raw(given, "sign_key"))
    check_sections(fragment, header)
    sections = [section_of(fragment, head) for head in header.sections]
    shown = any(section["state"] == "unreadable" for section in sections)
    return "shown" if shown else "accept", {**entry_of(given), "sections": sections}


def check_place(given: Given, fragment: Fragment) -> None:
    if proof := given.get("proof"):
        path = [bytes.fromhex(item) for item in proof["path"]]
        try:
            verify_inclusion(fragment.leaf, given["seq"], proof["size"], path, bytes.fromhex(proof["root"]))
        except FederationError as error:
            raise TransportError(str(error)) from error


def section_of(fragment: Fragment, head: SectionHead) -> dict[str, Any]:
    section = fragment.section(head.name)
    if section is None:
        return {"name": head.name, "state": "absent", "content": None}
    if section.salt is None:
        return {"name": head.name, "state": "sealed", "content": None}
    try:
        content = section_content(head, section.data)
    except FederationError:
        return {"name": head.name, "state": "unreadable", "content": None}
    return {"name": head.name, "state": "clear", "content": content.hex()}


def read_commitment(given: Given) -> Answer:
    digest = commitment(raw(given, "log"), given["name"], raw(given, "salt"), raw(given, "bytes"))
    return "accept", {"commitment": digest.hex()}


def read_content(given: Given) -> Answer:
    head = SectionHead("x", bytes(32), given["size"], given["class"])
    try:
        return "accept", {"content": section_content(head, raw(given, "bytes")).hex()}
    except FederationError:
        return "shown", {}


def read_sealed(given: Given) -> Answer:
    header: Header = decode_header(raw(given, "header"), raw(given, "log"), given["seq"])
    key = BoxKey.from_seed(raw(given, "box_secret"))
    opened = open_section(key, header, Section(given["name"], None, raw(given, "sealed")))
    head = header.section(given["name"])
    assert head is not None
    assert opened.salt is not None
    try:
        content = section_content(head, opened.data)
    except FederationError:
        return "shown", {}
    return "accept", {"salt": opened.salt.hex(), "bytes": opened.data.hex(), "content": content.hex()}


def read_plate_text(given: Given) -> Answer:
    return "accept", {"plate_text": plate_text(given["text"])}


def read_serial(given: Given) -> Answer:
    part = Part(characters=given["set"], count=given["width"] or 1)
    pattern = SerialPattern(pattern="parts", parts=(part,)) if given["width"] else SerialPattern(pattern="digits")
    assert pattern.characters == set(given["set"])
    assert pattern.total == given["width"]
    return "accept", {"serial": pattern.canonical(given["text"])}


def read_claim(given: Given) -> Answer:
    claim = decode_claim(raw(given, "claim"))
    assert claim.encode() == raw(given, "claim")
    return "accept", {"subject": claim.subject.hex}


def read_device_id(given: Given) -> Answer:
    subject = parse_device_id(given["text"])
    return "accept", {"subject": subject.hex, "id": str(subject)}


def read_label(given: Given) -> Answer:
    subject = parse_label_url(given["text"])
    return "accept", {"subject": subject.hex, "id": str(subject)}


def read_checkpoint(given: Given) -> Answer:
    found = verify_checkpoint(raw(given, "note"), raw(given, "log"), raw(given, "sign_key"))
    return "accept", {"size": found.size, "root": found.root.hex()}


def read_fork_proof(given: Given) -> Answer:
    proof = verify_fork_proof(raw(given, "proof"), raw(given, "sign_key"))
    assert proof.to_bytes() == raw(given, "proof")
    kind = TWO_HEADERS if isinstance(proof.left, SignedHeader) else 2
    return "accept", {"log": proof.log.hex(), "seq": proof.seq, "kind": kind}


def read_authority(given: Given) -> Answer:
    assert Authority.from_bytes(raw(given, "section")).to_bytes() == raw(given, "section")
    return "accept", {}


def read_attest(given: Given) -> Answer:
    assert Attestation.from_bytes(raw(given, "section")).to_bytes() == raw(given, "section")
    return "accept", {}


def read_witnesses(given: Given) -> Answer:
    unpack_witnesses(raw(given, "section"))
    return "accept", {}


def read_log_keys(given: Given) -> Answer:
    unpack_log_keys(raw(given, "section"))
    return "accept", {}


def read_erase(given: Given) -> Answer:
    unpack_erase(raw(given, "section"))
    return "accept", {}


def read_erasures(given: Given) -> Answer:
    def place(told: Given) -> Ref:
        return Ref(raw(told, "log"), told["seq"], raw(told, "id16"))

    entry, words = given["entry"], list[Word]()
    for one in given["erasures"]:
        who = (place(one), raw(one, "org"), one["stamp"], "other")
        words += [Word(place(row), row["name"], *who) for row in one["rows"]]
    target = Target(place(entry), raw(entry, "org"), {row["name"]: row["class"] for row in entry["sections"]})
    erased = [
        {
            "name": name,
            "by": [org.hex() for org in one.by],
            "at": one.at,
            "said": {"log": one.said.log.hex(), "seq": one.said.seq, "id16": one.said.id16.hex()},
        }
        for name, one in erased_of(words, target, Genesis.from_bytes(raw(given, "genesis"))).items()
    ]
    return "accept", {"erased": erased}


def read_genesis(given: Given) -> Answer:
    genesis = Genesis.from_bytes(raw(given, "genesis"))
    assert genesis.to_bytes() == raw(given, "genesis")
    return "accept", {"id": genesis.id.hex(), "fingerprint": fingerprint(genesis.id)}


def read_request(given: Given) -> Answer:
    who = (raw(given, "org"), raw(given, "from"), raw(given, "to"))
    request = Request(given["method"], given["target"], *who, raw(given, "body"))
    signature = RequestSignature.from_bytes(raw(given, "signature"))
    digest = verify_request(signature, raw(given, "sign_key"), request, given["now_ms"])
    return "accept", {"hash": digest.hex()}


def read_replay(given: Given) -> Answer:
    window, taken = ReplayWindow(), []
    for arrival in given["arrivals"]:
        try:
            window.admit(raw(arrival, "from"), raw(arrival, "nonce"), arrival["now_ms"])
            taken.append(True)
        except RequestError:
            taken.append(False)
    return "accept", {"taken": taken}


def read_follow(given: Given) -> Answer:
    asked = FollowAsked.from_bytes(raw(given, "asked"))
    known = {bytes.fromhex(subject) for subject in given["followed"] or ()}
    if asked.everything:
        return "accept", {"followed": None, "filter": None}
    within = {subject for subject in known if asked.within and asked.within[0] <= subject <= asked.within[1]}
    gone = (known & asked.removed) | (within - asked.added)
    kept = moved(moved(NOTHING, known), asked.added - known, gone)
    return "accept", {"followed": [s.hex() for s in sorted((known | asked.added) - gone)], "filter": kept.hex()}


def read_holders(given: Given) -> Answer:
    key = alias_key(codec.text(given["scheme"], "scheme"), codec.text(given["value"], "value"))
    seats = Seats({raw(member, "org"): raw(member, "seat") for member in given["seats"]})
    holders = [org.hex() for org in seats.holders(bucket_of(key))]
    return "accept", {"key": key.hex(), "bucket": bucket_of(key), "holders": holders}


def read_announced(given: Given) -> Answer:
    asked = Announced.from_bytes(raw(given, "asked"))
    held = {mark for text in given["held"] if bucket_of(mark := bytes.fromhex(text)) not in asked.whole}
    held |= {mark for marks in asked.whole.values() for mark in split_marks(marks)}
    held = held if asked != Announced() else set()
    left = (held | set(split_marks(asked.added))) - set(split_marks(asked.removed))
    digests = {bucket: bucket_digest(join_marks(marks)) for bucket, marks in by_bucket(left).items()}
    return "accept", {"held": [mark.hex() for mark in sorted(left)], "list": list_digest(digests).hex()}


def read_box_code(given: Given) -> Answer:
    code = parse_code(given["text"])
    return "accept", {"code": code.raw.hex(), "key": code.key.public.hex(), "number": code.number}


def read_claim_asked(given: Given) -> Answer:
    seller, claimant, claim = raw(given, "seller"), raw(given, "claimant"), Claim.from_bytes(raw(given, "asked"))
    if not claim.is_by(seller, claimant):
        return "refuse", {}
    return "accept", {"number": box_number(claim.key), "hash": claim_hash(seller, claimant).hex()}


def read_claimed(given: Given) -> Answer:
    Claimed.from_bytes(raw(given, "section"))
    return "accept", {}


def read_frame(given: Given) -> Answer:
    frame = decode_frame(raw(given, "frame"))
    kinds: dict[type, int] = {Noticed: 1, Asked: 2, Answered: 3}
    return "accept", {"kind": kinds[type(frame)]}


def read_response(given: Given) -> Answer:
    body = raw(given, "body")
    verify_response(raw(given, "signature"), raw(given, "sign_key"), raw(given, "request"), given["status"], body)
    return "accept", {"hash": response_hash(raw(given, "request"), given["status"], body).hex()}


def read_invitation(given: Given) -> Answer:
    try:
        made = parse_invitation(given["text"], given["now_us"])
    except InvitationError:
        parse_invitation(given["text"], 0)
        return "expired", {}
    return "accept", {
        "federation": made.genesis.id.hex(),
        "org": made.org.hex(),
        "node": made.node.hex(),
        "url": made.url,
        "expires": made.expires,
        "words": fingerprint_bytes(made).hex(),
    }


READERS: Mapping[str, Callable[[Given], Answer]] = {
    "msgpack": read_msgpack,
    "text": read_text,
    "key": read_key,
    "signature": read_signature,
    "merkle-root": read_root,
    "inclusion": read_inclusion,
    "consistency": read_consistency,
    "cut": read_cut,
    "cut-widening": read_widening,
    "cut-effect": read_effect,
    "withdrawal-effect": read_withdrawal,
    "erasure-effect": read_erasures,
    "membership": read_membership,
    "root-statement": read_root_statement,
    "root-chain": read_chain,
    "log-statement": read_log_statement,
    "log-admission": read_admission,
    "header": read_header,
    "fragment": read_fragment,
    "commitment": read_commitment,
    "section-content": read_content,
    "sealed-section": read_sealed,
    "plate-text": read_plate_text,
    "serial": read_serial,
    "claim": read_claim,
    "device-id": read_device_id,
    "label": read_label,
    "checkpoint": read_checkpoint,
    "fork-proof": read_fork_proof,
    "authority": read_authority,
    "attest": read_attest,
    "witnesses": read_witnesses,
    "keys": read_log_keys,
    "erase": read_erase,
    "genesis": read_genesis,
    "request": read_request,
    "replay": read_replay,
    "response": read_response,
    "frame": read_frame,
    "follow-asked": read_follow,
    "holders": read_holders,
    "announced": read_announced,
    "box-code": read_box_code,
    "claim-asked": read_claim_asked,
    "claimed": read_claimed,
    "invitation": read_invitation,
}
