from django.apps import AppConfig


class MailingConfig(AppConfig):
    name = "lofte.core.mailing"
    label = "mailing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lofte.core.mailing import holdings  # noqa: F401  # declares tables, duties and addresses of this room
