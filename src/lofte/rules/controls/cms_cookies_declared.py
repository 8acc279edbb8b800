"""The cookies of the content system are declared. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="cms_cookies_declared",
    law=("ePrivacy 5(3)",),
    fresh_for=timedelta(days=7),
    needs=frozenset({"browser"}),
)
