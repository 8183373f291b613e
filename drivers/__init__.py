"""Talking to meters and decoding what they say. Knows nothing of radio or peers."""
