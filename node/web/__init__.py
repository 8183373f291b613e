"""The doors: JSON API and console."""
