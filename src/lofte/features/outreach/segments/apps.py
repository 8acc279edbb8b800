from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "lofte.features.outreach.segments"
    label = "segments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.outreach.segments import holdings  # noqa: F401  # declares tables, exports and duties of this room
