"""Shared nouns: persons, keys, the outbox to the evidence log, mail, duties, settings. Knows no feature by name."""
