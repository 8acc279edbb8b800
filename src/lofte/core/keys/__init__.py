"""The key store: one wrapped key a person, in a database of its own with short-lived backups. Only `core.vault` reads it."""
