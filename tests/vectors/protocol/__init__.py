"""The vectors of docs/protocol.md and what writes them."""
