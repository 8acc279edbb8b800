from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "lofte.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from lofte.core import dangerous, declarations, naming  # noqa: F401  # declare what core's own tables hold

        post_migrate.connect(naming.ask_at_once, sender=self, dispatch_uid="naming")
