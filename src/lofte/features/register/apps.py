from django.apps import AppConfig


class RegisterConfig(AppConfig):
    name = "lofte.features.register"
    label = "register"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.register import holdings  # noqa: F401  # declares tables, exports and duties of this room
