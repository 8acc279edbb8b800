"""Keeps the keys in the database `keys` and everything else out of it."""

from typing import Any

from django.db.models import Model


class KeysRouter:
    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return "keys" if model._meta.app_label == "keys" else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return self.db_for_read(model, **hints)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "keys") == (app_label == "keys")
