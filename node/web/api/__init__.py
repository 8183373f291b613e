"""The JSON API: one file a resource, each with its ROUTES, all listed here."""

from node.web.api import access, journal, reference

ROUTES = (*access.ROUTES, *journal.ROUTES, *reference.ROUTES)
