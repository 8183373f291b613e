"""What a receiver of a webhook is sent, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class WebhookEvent(BaseModel):
    """What a receiver is sent (Standard Webhooks)."""

    type: str = Field(description="The kind of change, `webhook_test` for a test.")
    timestamp: datetime
    data: dict[str, Any] = Field(  # Any: JSON of each kind of change
        description="The event as GET /events tells it, with `device`; `is_cut` where its detail was too large."
    )
