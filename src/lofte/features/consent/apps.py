from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "lofte.features.consent"
    label = "consent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.consent import holdings  # noqa: F401  # declares tables, exports and duties of this room
