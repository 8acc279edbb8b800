"""Cookies hold only the kinds of data that are declared. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="cookie_data_declared",
    law=("ePrivacy 5(3)", "GDPR 5(1)(c)"),
    fresh_for=timedelta(days=7),
    needs=frozenset({"browser"}),
)
