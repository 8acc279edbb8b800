from django.apps import AppConfig


class GatesConfig(AppConfig):
    name = "lofte.core.gates"
    label = "gates"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.core.gates import duties  # noqa: F401  # declares what the tables hold, and the duty
