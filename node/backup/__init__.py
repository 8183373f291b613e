"""Backup files: how they are locked, streamed and laid out. No store and no node is known here."""
