"""Payload codecs in JavaScript (LoRa Alliance TS013 and two older forms), each in a process of its own."""
