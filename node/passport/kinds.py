"""Kinds of fragments as the product sees them."""

from federation.authority import Kind

# What is said to everybody in the federation: only its public and authority sections, to every member.
PUBLICATIONS = frozenset({Kind.TEMPLATE, Kind.CATALOG, Kind.DRIVER, Kind.CARD, Kind.ATTESTATION, Kind.WITNESSES})
