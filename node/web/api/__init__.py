"""The JSON API: one file a resource, each with its ROUTES, all listed here."""

from node.web.api import (
    access,
    catalogs,
    federation,
    imports,
    journal,
    moments,
    own_codes,
    passports,
    protocols,
    radio,
    reference,
    releases,
    shipments,
    types,
)

ROUTES = (
    *federation.ROUTES,
    *passports.ROUTES,
    *moments.ROUTES,
    *imports.ROUTES,
    *shipments.ROUTES,
    *radio.ROUTES,
    *protocols.ROUTES,
    *catalogs.ROUTES,
    *own_codes.ROUTES,
    *releases.ROUTES,
    *types.ROUTES,
    *access.ROUTES,
    *journal.ROUTES,
    *reference.ROUTES,
)
