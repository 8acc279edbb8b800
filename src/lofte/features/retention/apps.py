from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "lofte.features.retention"
    label = "retention"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.retention import holdings  # noqa: F401  # declares tables, exports and duties of this room
