"""One file a resource of /api/v1."""
