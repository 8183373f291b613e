"""A LoRaWAN network server: gateways, joins, sessions. Knows nothing of passports."""
