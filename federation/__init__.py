"""Signed fragments between organisations: keys, logs, proofs, sync. Knows nothing of meters."""
