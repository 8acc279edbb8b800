"""Staff accounts are made at the command line; nobody signs up to the console."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

AUDITORS = "auditors"
"""The group of accounts that see promises and their evidence, and nothing else."""


class StaffOnly(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
