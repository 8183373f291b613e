"""Payload documents: what each construct of the language reads and writes."""
