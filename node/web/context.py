"""What the doors work with: the parts of the node, handed to one application object."""

from aiohttp import web

from node.services.parts import Parts

CONTEXT = web.AppKey("context", Parts)
