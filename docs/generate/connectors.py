"""connectors.md: the systems Löfte can hold to a promise."""

from importlib import import_module
from inspect import cleandoc
from pkgutil import iter_modules

from docs.generate.markdown import page

from lofte import connectors

NAME = "connectors.md"
_LEAD = (
    "A connector carries obligations (correct, erase, stop) into a system the company runs, and verifies them there."
)


def made() -> str:
    return page(
        "Connectors", _LEAD, *(_section(name) for name in names()), "" if names() else "There is no connector yet."
    )


def names() -> list[str]:
    return sorted(found.name for found in iter_modules(connectors.__path__) if not found.name.startswith("_"))


def _section(name: str) -> str:
    return f"## {name}\n\n{cleandoc(import_module(f'lofte.connectors.{name}').__doc__ or '')}"
