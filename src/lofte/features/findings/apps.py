from django.apps import AppConfig


class FindingsConfig(AppConfig):
    name = "lofte.features.findings"
    label = "findings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.findings import duties, holdings  # noqa: F401  # declares the table and the flush
