from django.apps import AppConfig


class PromisesConfig(AppConfig):
    name = "lofte.features.promises"
    label = "promises"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.promises import duties, holdings  # noqa: F401  # declares table and duty of this room
