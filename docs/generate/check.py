"""check.md: every problem `lofte check` can name, as the command itself describes them."""

from lofte.cli.check import reference

NAME = "check.md"


def made() -> str:
    return reference()
