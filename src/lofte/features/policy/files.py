"""A policy directory as a mapping from relative name to text, which is all that `rules` ever sees of it."""

from pathlib import Path

from lofte.kernel.problems import Place, Problem

MAX_FILE_BYTES = 2_000_000  # the longest honest text is some 30 kB


def read_directory(path: Path) -> dict[str, str]:
    """`policy.yaml` and everything under `text/`, in name order; other files are none of ours.

    Bytes that are not UTF-8 come as surrogate escapes: `rules.source` names the line. Raises Problem when the directory
    cannot be read at all.
    """
    if not path.is_dir():
        raise _unreadable(path, "is no directory")
    names = [path / "policy.yaml", *sorted((path / "text").rglob("*"))]
    try:
        return {name.relative_to(path).as_posix(): _text(name) for name in names if _is_ours(name)}
    except OSError as error:
        raise _unreadable(path, f"cannot be read ({error.strerror})") from error


def _is_ours(name: Path) -> bool:
    return name.is_file() and not any(part.startswith(".") for part in name.parts[-3:]) and not name.name.endswith("~")


def _text(name: Path) -> str:
    if name.stat().st_size > MAX_FILE_BYTES:
        raise Problem(
            "file.too-large", f"a file of more than {MAX_FILE_BYTES} bytes", Place(name.name), way_out="Split the file."
        )  # fmt: skip
    text = name.read_bytes().decode("utf-8", errors="surrogateescape")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _unreadable(path: Path, why: str) -> Problem:
    return Problem(
        "policy.no-directory", f"{path} {why}", way_out="Name the directory that holds policy.yaml.", status=404
    )
