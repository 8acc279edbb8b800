from django.apps import AppConfig


class ClicksConfig(AppConfig):
    name = "lofte.features.outreach.clicks"
    label = "clicks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.outreach.clicks import holdings  # noqa: F401  # declares the table of this room
