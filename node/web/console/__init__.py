"""The console: one file a screen, each with its ROUTES and, where it has live parts, its LIVE, all listed here."""

from node.web.console import (
    access,
    assembly,
    compare,
    conflicts,
    devices,
    home,
    imports,
    journal,
    login,
    passport,
    peers,
    protocol,
    radio,
    register,
    shipments,
)

ROUTES = (
    *login.ROUTES,
    *home.ROUTES,
    *devices.ROUTES,
    *passport.ROUTES,
    *assembly.ROUTES,
    *register.ROUTES,
    *compare.ROUTES,
    *conflicts.ROUTES,
    *protocol.ROUTES,
    *imports.ROUTES,
    *shipments.ROUTES,
    *radio.ROUTES,
    *peers.ROUTES,
    *journal.ROUTES,
    *access.ROUTES,
)
LIVE = (
    *home.LIVE,
    *passport.LIVE,
    *imports.LIVE,
    *shipments.LIVE,
    *radio.LIVE,
    *peers.LIVE,
    *journal.LIVE,
)
