"""The console: one file a screen, each with its ROUTES and, where it has live parts, its LIVE, all listed here."""

from node.web.console import access, devices, home, journal, login, passport

ROUTES = (*login.ROUTES, *home.ROUTES, *devices.ROUTES, *passport.ROUTES, *journal.ROUTES, *access.ROUTES)
LIVE = (*home.LIVE, *passport.LIVE, *journal.LIVE)
