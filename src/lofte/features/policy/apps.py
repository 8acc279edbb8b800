from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "lofte.features.policy"
    label = "policy"
