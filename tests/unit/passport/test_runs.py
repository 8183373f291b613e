"""Runs of processes out of what several organisations say of them."""

import random
from dataclasses import dataclass, field, replace

import pytest

from federation.authority import Attested
from node.passport import drafts
from node.passport.bodies import Plate
from node.passport.drafts import Draft
from node.passport.fold import fold
from node.passport.run_views import run_cards
from node.passport.shown import at, rows
from node.passport.statement import Statement
from node.passport.view import Plain, View, digest, moment_us
from tests.builders_passport import Author, Federation, demo, identity, line_claim
from tests.processes import agreement, move, opening, paper, procedure_bytes

PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
RAW = procedure_bytes()


@dataclass
class Play:
    """An owner, a workshop and a lab, the procedure that they accepted, and what they say."""

    federation: Federation = field(default_factory=lambda: demo()[0])
    owner: Author = field(default_factory=lambda: Author("owner"))
    workshop: Author = field(default_factory=lambda: Author("workshop"))
    lab: Author = field(default_factory=lambda: Author("lab", seq=50))
    said: list[Statement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.federation.publish(self.owner, drafts.procedure(self.owner.org, RAW, 0))
        for author in (self.workshop, self.lab):
            self.federation.publish(author, agreement(author, RAW))
        self.federation.attest(self.lab, Attested.ACCREDITATION, "RA.RU.000000")
        self.say(self.owner, identity(CLAIM, PLATE), "2026-02-27")
        self.say(self.owner, opening(DEVICE, RAW, workshop=self.workshop, lab=self.lab), "2026-03-01")

    def say(self, author: Author, draft: Draft, on: str = "2026-03-02") -> Statement:
        """Say something on a day."""
        self.said.append(author.say(draft, on=on))
        return self.said[-1]

    def move(self, author: Author, n: int, says: str = "done", on: str = "2026-03-02", **more: object) -> Statement:
        """Make a move."""
        return self.say(author, move(DEVICE, self.owner, n, says, **more), on)

    @property
    def view(self) -> View:
        """The passport."""
        return fold([DEVICE], self.said, self.federation.world)

    @property
    def run(self) -> dict[str, Plain]:
        """The one run."""
        (run,) = rows(self.view, "processes")
        return run


def test_run_goes_from_hand_to_hand_to_its_end() -> None:
    """Each step is done by the organisation in its role; the owner's last step closes the run."""
    play = Play()
    assert at(play.run, "waits", "org") == play.workshop.org.hex()
    assert at(play.run, "waits", "due") == moment_us("2026-03-05") - 1

    play.move(play.workshop, 1, step="diagnose")
    play.move(play.workshop, 2, step="replace")
    assert at(play.run, "waits", "step") == "verify"
    play.say(play.lab, paper(DEVICE, play.owner, 3))
    play.move(play.lab, 3, step="verify", outcome="fit")
    assert at(play.run, "waits", "org") == play.owner.org.hex()
    play.move(play.owner, 4, step="accept")

    run = play.run
    assert (run["state"], run["waits"], run["idle"]) == ("done", None, [])
    assert [row["step"] for row in rows(run, "moves")] == [None, "diagnose", "replace", "verify", "accept"]
    assert rows(run, "moves")[3]["protocols"] != []


def test_failed_step_leads_back_and_needs_a_protocol_of_its_own_again() -> None:
    """A rejection leads back to the replacement, and the second verification needs a second protocol."""
    play = Play()
    play.move(play.workshop, 1, step="diagnose")
    play.move(play.workshop, 2, step="replace")
    play.say(play.lab, paper(DEVICE, play.owner, 3, "rejected"))
    play.move(play.lab, 3, step="verify", outcome="unfit")
    play.move(play.workshop, 4, step="replace")
    play.move(play.lab, 5, step="verify", outcome="fit")

    assert at(play.run, "waits", "step") == "verify"
    assert [row["why"] for row in rows(play.run, "idle")] == ["no-protocol"]
    play.say(play.lab, paper(DEVICE, play.owner, 5))
    assert at(play.run, "waits", "step") == "accept"


@pytest.mark.parametrize(
    ("who", "n", "more", "why"),
    [
        ("lab", 1, {"step": "diagnose"}, "no-mandate"),
        ("stranger", 1, {"step": "diagnose"}, "no-mandate"),
        ("workshop", 1, {"step": "replace"}, "out-of-order"),
        ("workshop", 1, {"step": "diagnose", "outcome": "fine"}, None),
        ("workshop", 2, {"step": "replace"}, "earlier-missing"),
        ("workshop", 1, {"says": "closed", "result": "done"}, "owner-only"),
        ("lab", 1, {"says": "assigned", "roles": {}}, "owner-only"),
        ("lab", 1, {"says": "declined", "step": "diagnose"}, "no-mandate"),
    ],
)
def test_move_without_right_or_out_of_order_has_no_effect(
    who: str, n: int, more: dict[str, object], why: str | None
) -> None:
    """What is not the next move, or not its author's to make, leaves the run where it is and is shown with why."""
    play = Play()
    author = {"lab": play.lab, "workshop": play.workshop, "stranger": Author("stranger")}[who]

    play.move(author, n, **{"says": "done", **more})  # type: ignore[arg-type]  # the members of a move

    found = [row["why"] for row in rows(play.run, "idle")]
    assert found == ([why] if why else [])
    assert at(play.run, "waits", "step") == ("replace" if why is None else "diagnose")


def test_step_of_an_organisation_that_did_not_accept_counts_once_it_accepts() -> None:
    """A step by whoever has not accepted the procedure has no effect until that signature is there."""
    play = Play()
    play.federation.published = [s for s in play.federation.published if s.org != play.workshop.org]
    play.move(play.workshop, 1, step="diagnose")
    assert [row["why"] for row in rows(play.run, "idle")] == ["not-accepted"]

    play.federation.publish(play.workshop, agreement(play.workshop, RAW))

    assert at(play.run, "waits", "step") == "replace"


@pytest.mark.parametrize(
    ("event", "name", "outcome"), [("rejected", "verification", "fit"), ("verified", "act", "fit")]
)
def test_protocol_of_another_kind_or_result_does_not_do(event: str, name: str, outcome: str) -> None:
    """A step that demands a protocol is not done with one of another template, nor with another result."""
    play = Play()
    play.move(play.workshop, 1, step="diagnose")
    play.move(play.workshop, 2, step="replace")
    play.say(play.lab, paper(DEVICE, play.owner, 3, event, name))
    play.move(play.lab, 3, step="verify", outcome=outcome)

    assert [row["why"] for row in rows(play.run, "idle")] == ["no-protocol"]


def test_moves_of_a_stranger_push_none_of_a_party_out_of_the_view() -> None:
    """Of moves without effect the newest fifty of each side are shown, and how many there are."""
    play, stranger = Play(), Author("stranger")
    play.move(play.lab, 1, step="diagnose")
    for _ in range(60):
        play.move(stranger, 1, step="diagnose")

    idle = rows(play.run, "idle")
    assert [row["by"] for row in idle] == [play.lab.org.hex(), *[stranger.org.hex()] * 50]
    assert play.run["idle_count"] == 61


def test_role_is_declined_and_given_to_another() -> None:
    """Whose turn it is may decline; the owner gives the role to somebody else, who goes on."""
    play, other = Play(), Author("other")
    play.federation.publish(other, agreement(other, RAW))
    play.move(play.workshop, 1, "declined", step="diagnose", reason="нет запчастей")
    assert at(play.run, "waits", "org") is None

    play.move(play.owner, 2, "assigned", roles={"workshop": other.org.hex()})
    play.move(play.workshop, 3, step="diagnose")
    assert [row["why"] for row in rows(play.run, "idle")] == ["no-mandate"]
    play.move(other, 3, step="diagnose")
    assert at(play.run, "waits", "step") == "replace"


def test_owner_declines_no_step_of_his_own() -> None:
    """The owner's step is nobody else's: a refusal of it has no effect, and the run goes on."""
    play = Play()
    play.move(play.workshop, 1, step="diagnose")
    play.move(play.workshop, 2, step="replace")
    play.say(play.lab, paper(DEVICE, play.owner, 3))
    play.move(play.lab, 3, step="verify", outcome="fit")
    play.move(play.owner, 4, "declined", step="accept", reason="не хочу")

    assert [row["why"] for row in rows(play.run, "idle")] == ["owner-stays"]
    play.move(play.owner, 4, step="accept")
    assert play.run["state"] == "done"


def test_term_of_a_run_at_the_end_of_time_is_kept_as_a_number() -> None:
    """A fact time at the edge of what the format takes makes a term that every store takes."""
    play = Play()
    play.said[-1] = replace(play.said[-1], occurred=2**63 - 1)

    (card,) = run_cards(play.view)
    assert (card.since_us, card.due_us) == (2**63 - 1, 2**63 - 1)


def test_work_that_was_done_counts_before_a_closing_that_did_not_know_of_it() -> None:
    """Of a step and a cancellation with one number, said apart, the step counts and the cancellation is shown."""
    play = Play()
    play.move(play.owner, 1, "closed", result="cancelled")
    play.move(play.workshop, 1, step="diagnose")

    assert play.run["state"] == "open"
    assert [(row["says"], row["why"]) for row in rows(play.run, "idle")] == [("closed", "taken")]


def test_step_after_its_term_counts_and_is_late() -> None:
    """A step that is done after its days are over counts, and the passport shows that it was late."""
    play = Play()
    play.move(play.workshop, 1, on="2026-03-20", step="diagnose")

    assert [row["late"] for row in rows(play.run, "moves")] == [False, True]


def test_nobody_can_open_the_run_of_another() -> None:
    """An opening with the nonce of another run is a run of its own: the id names its opener."""
    play, thief = Play(), Author("thief")
    before = play.run
    play.say(thief, opening(DEVICE, RAW, workshop=thief))

    found = {run["owner"]: run for run in rows(play.view, "processes")}
    assert found.keys() == {play.owner.org.hex(), thief.org.hex()}
    assert found[play.owner.org.hex()] == before


def test_run_of_an_unknown_procedure_waits_for_it() -> None:
    """Where the procedure has not arrived, the run is shown unread and its moves wait."""
    play = Play()
    play.move(play.workshop, 1, step="diagnose")
    play.federation.published = [s for s in play.federation.published if "procedure" not in s.sections]

    assert play.run["state"] == "unread"
    assert [row["why"] for row in rows(play.run, "idle")] == ["procedure-missing"]


def test_running_processes_stay_on_the_version_they_were_opened_under() -> None:
    """A second version with other steps changes nothing about a run of the first one."""
    play = Play()
    before = play.run
    short = procedure_bytes(
        version="2", roles=[], steps=[{"code": "accept", "title": {"ru": "Сразу"}, "role": "owner"}]
    )
    play.federation.publish(play.owner, drafts.procedure(play.owner.org, short, 0))

    assert play.run == before


def test_order_and_repetition_of_what_arrives_change_nothing() -> None:
    """Equal sets of moves, in any order and more than once, give equal bytes."""
    play, source = Play(), random.Random(7)
    play.move(play.workshop, 1, step="diagnose")
    play.move(play.owner, 1, "assigned", roles={"workshop": play.lab.org.hex()})
    play.move(play.workshop, 2, step="replace")
    play.say(play.lab, paper(DEVICE, play.owner, 3))
    play.move(play.lab, 3, step="verify", outcome="fit")
    play.move(play.owner, 4, "closed", result="done")
    expected = digest(play.view)

    for _ in range(20):
        said = play.said + source.sample(play.said, 3)
        source.shuffle(said)
        assert digest(fold([DEVICE], said, play.federation.world)) == expected


class Branch(Author):
    """Another node of an organisation, with a log of its own."""

    @property
    def log(self) -> bytes:
        """The other log's id."""
        return self.org[::-1]


def test_step_that_two_nodes_of_one_organisation_do_at_once_is_done_once() -> None:
    """One of the two moves counts, with its own outcome, whichever arrives first; the other one is told as taken."""
    play = Play()
    play.move(play.workshop, 1, step="diagnose")
    play.move(play.workshop, 2, step="replace")
    branch = Branch("lab", seq=50)
    for author, event, outcome in ((play.lab, "verified", "fit"), (branch, "rejected", "unfit")):
        play.say(author, paper(DEVICE, play.owner, 3, event))
        play.move(author, 3, step="verify", outcome=outcome)

    here = play.view
    play.said.reverse()

    assert digest(play.view) == digest(here)
    counted = rows(play.run, "moves")[-1]
    waits = {"fit": "accept", "unfit": "replace"}[str(counted["outcome"])]
    assert (counted["step"], at(play.run, "waits", "step")) == ("verify", waits)
    assert [row["why"] for row in rows(play.run, "idle")] == ["taken"]
    assert len(rows(here, "protocols")) == 2


def test_withheld_protocol_counts_as_missing_for_whoever_may_not_read_it() -> None:
    """A reader from whom the protocol is withheld sees that the step is not shown to be done."""
    play = Play()
    play.move(play.workshop, 1, step="diagnose")
    play.move(play.workshop, 2, step="replace")
    signed = play.say(play.lab, paper(DEVICE, play.owner, 3))
    play.move(play.lab, 3, step="verify", outcome="fit")
    hidden = replace(signed, sections={}, withheld=tuple((name, 2) for name in signed.sections))

    said = [hidden if statement is signed else statement for statement in play.said]
    (run,) = rows(fold([DEVICE], said, play.federation.world), "processes")

    assert [row["why"] for row in rows(run, "idle")] == ["no-protocol"]
