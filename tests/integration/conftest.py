"""What most tests of the API stand on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, running_web


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node that writes its log."""
    async with running_web(tmp_path) as running:
        context = running.context
        await context.ledger.open()
        await context.projection.open()
        await context.releases.open()
        writer = asyncio.create_task(context.ledger.run())
        yield running
        await ended(writer)
