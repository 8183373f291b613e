"""The console: one file a screen, each with its ROUTES and, where it has live parts, its LIVE, all listed here."""

from node.web.console import access, devices, home, journal, login, passport, radio

ROUTES = (
    *login.ROUTES,
    *home.ROUTES,
    *devices.ROUTES,
    *passport.ROUTES,
    *radio.ROUTES,
    *journal.ROUTES,
    *access.ROUTES,
)
LIVE = (*home.LIVE, *passport.LIVE, *radio.LIVE, *journal.LIVE)
