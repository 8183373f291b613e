"""M-Bus: frames of the wire (EN 13757-2) and the application layer that wire and radio share (EN 13757-3)."""
