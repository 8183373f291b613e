"""The product: passport, store, services, API, console, command line, wiring."""
