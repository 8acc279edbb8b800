from django.apps import AppConfig


class InquiriesConfig(AppConfig):
    name = "lofte.features.outreach.inquiries"
    label = "inquiries"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.outreach.inquiries import (  # noqa: F401  # declares tables, exports, duties and what this room takes in
            holdings,
        )
