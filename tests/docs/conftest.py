"""The documents as data: files, headings, links, fenced commands."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def reference() -> Callable[[str], str]:
    """The text of a page of docs/reference."""
    return lambda name: (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def headings(reference: Callable[[str], str]) -> Callable[[str], set[str]]:
    """The headings of a page of docs/reference, code marks left out."""
    return lambda name: {found.replace("`", "") for found in re.findall(r"(?m)^#+ (.+)$", reference(name))}
