from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "lofte.features.outreach.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.outreach.events import holdings  # noqa: F401  # declares tables, exports, forms and duties of this room
