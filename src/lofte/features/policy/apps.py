from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "lofte.features.policy"
    label = "policy"

    def ready(self) -> None:
        from lofte.features.policy import duties  # noqa: F401  # declares the duty of the serving process
