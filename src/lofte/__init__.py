"""Löfte: the privacy policy that runs. The map of the rooms is in docs/explanation/the-house.md."""

__version__ = "0.1.0"
