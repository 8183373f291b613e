"""The scenario that make demo plays and the end-to-end test asserts."""
