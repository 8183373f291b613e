"""Wireless M-Bus and OMS: link (EN 13757-4), transport and security (EN 13757-7, OMS Vol. 2), bridges to LoRaWAN."""
