from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "lofte.features.outreach"
    label = "outreach"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.outreach import holdings  # noqa: F401  # declares tables, exports and duties of this room
