"""The federation at work: who made which invitation."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make what each area needs."""
    _name_makers_of_invitations()


def _name_makers_of_invitations() -> None:
    op.add_column("invitations", Column("made_us", Int64, nullable=False, server_default="0"))
    op.add_column("invitations", Column("actor", Text, nullable=False, server_default=""))
