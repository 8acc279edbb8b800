from django.apps import AppConfig


class FormsConfig(AppConfig):
    name = "lofte.features.outreach.forms"
    label = "forms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.outreach.forms import holdings, opt_in  # noqa: F401  # declares tables, exports and duties of this room
