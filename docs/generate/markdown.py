"""The few shapes a reference page is made of."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(title: str, *parts: str) -> str:
    """A whole page. Parts are Markdown; empty ones are left out."""
    start = [f"# {title}", "<!-- Written by scripts/docs from the code. Change the code, then run scripts/docs. -->"]
    return "\n\n".join(part.strip("\n") for part in [*start, *parts] if part.strip()) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; empty without rows."""
    lines = [_row(cells) for cells in rows]
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines]) if lines else ""


def code(text: object) -> str:
    return f"`{text}`"


def block(text: str, language: str = "") -> str:
    return f"```{language}\n{text.strip(chr(10))}\n```"


def told(text: str) -> str:
    """Prose as one line."""
    return " ".join(text.split())


def lasting(time: timedelta) -> str:
    """A time in the largest whole unit: ``2 days``, ``5 minutes``."""
    seconds = int(time.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def source(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(str(cell)) for cell in cells) + " |"


def _cell(text: str) -> str:
    return told(text).replace("|", "\\|")
