"""The JSON API: one file a resource, each with its ROUTES, all listed here."""

from node.web.api import (
    access,
    catalogs,
    composition,
    conflicts,
    federation,
    identity,
    imports,
    journal,
    moments,
    passports,
    protocols,
    radio,
    reference,
    shipments,
)

ROUTES = (
    *federation.ROUTES,
    *passports.ROUTES,
    *identity.ROUTES,
    *composition.ROUTES,
    *conflicts.ROUTES,
    *moments.ROUTES,
    *imports.ROUTES,
    *shipments.ROUTES,
    *radio.ROUTES,
    *protocols.ROUTES,
    *catalogs.ROUTES,
    *access.ROUTES,
    *journal.ROUTES,
    *reference.ROUTES,
)
