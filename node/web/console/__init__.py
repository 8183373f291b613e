"""The console: one file a screen, each with its ROUTES and, where it has live parts, its LIVE, all listed here."""

from node.web.console import access, home, journal, login

ROUTES = (*login.ROUTES, *home.ROUTES, *journal.ROUTES, *access.ROUTES)
LIVE = (*home.LIVE, *journal.LIVE)
