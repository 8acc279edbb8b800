from django.apps import AppConfig


class SharingConfig(AppConfig):
    name = "lofte.features.sharing"
    label = "sharing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.sharing import holdings  # noqa: F401  # declares tables, exports and duties of this room
