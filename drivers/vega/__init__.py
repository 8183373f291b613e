"""Meters that speak the Vega family of payloads."""
