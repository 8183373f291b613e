"""Payload descriptions: documents of the public device-payload-schema language, read and run."""
