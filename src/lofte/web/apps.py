from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "lofte.web"
    label = "web"

    def ready(self) -> None:
        from lofte.web.console import factors

        factors.listen()
