"""Drivers that are stopped whatever version comes, and of whose driver the profile of a device speaks."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0013"
down_revision = "0012"

_versions = sa.table(
    "driver_versions", sa.column("driver", Text), sa.column("org", LargeBinary), sa.column("state", Text)
)
_devices = sa.table("radio_devices", sa.column("dev_eui", LargeBinary), sa.column("profile", Text))


def upgrade() -> None:
    """Make the table; an id had one publisher until now."""
    op.create_table(
        "driver_stops",
        Column("org", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("driver", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("since_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    store = op.get_bind()
    stood = sa.and_(_versions.c.org.is_not(None), _versions.c.state != "refused")
    rows = store.execute(sa.select(_versions.c.driver, _versions.c.org).where(stood))
    publishers = {row.driver: row.org.hex() for row in rows}
    for row in store.execute(sa.select(_devices.c.dev_eui, _devices.c.profile)).all():
        profile = json.loads(row.profile)
        if profile.get("driver") in publishers:
            profile["driver_publisher"] = publishers[profile["driver"]]
            told = json.dumps(profile, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            where = _devices.c.dev_eui == row.dev_eui
            store.execute(sa.update(_devices).where(where).values(profile=told))
