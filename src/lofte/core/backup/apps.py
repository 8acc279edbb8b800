from django.apps import AppConfig


class BackupConfig(AppConfig):
    name = "lofte.core.backup"
    label = "backup"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.core.backup import verbs  # noqa: F401  # declares the table and the duty of this room
