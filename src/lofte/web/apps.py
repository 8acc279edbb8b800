from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "lofte.web"
    label = "web"
