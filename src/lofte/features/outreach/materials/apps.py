from django.apps import AppConfig


class MaterialsConfig(AppConfig):
    name = "lofte.features.outreach.materials"
    label = "materials"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.outreach.materials import (  # noqa: F401  # declares tables, exports, forms and duties of this room
            grants,
            holdings,
        )
