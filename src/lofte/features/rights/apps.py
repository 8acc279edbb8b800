from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "lofte.features.rights"
    label = "rights"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.features.rights import (  # noqa: F401  # declare tables, exports and duties of this room, and its side of a restore
            holdings,
            replay,
        )
