"""One folder for each kind of system a company connects: manifest, client, mapping, README. Siblings never import each other.

A folder with a `manifest.yaml` is a connector; nothing outside it changes. Each file `<home>/systems/<system>.yaml` connects one
system of the policy; its key ``connector`` names the folder, whose module has ``connect(system, file)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from lofte.core import systems
from lofte.core.systems import Connector
from lofte.kernel.problems import Place, Problem
from lofte.rules.source import parse_yaml

FOLDER = "systems"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a manifest says: the module to load when a mapping asks for it, and what must be installed for that."""

    id: str
    name: str
    module: str
    needs: Mapping[str, str]
    acts: tuple[str, ...]


@cache
def kinds() -> Mapping[str, Kind]:
    """Every connector by its id, which is its folder's name."""
    found = {}
    for manifest in sorted(Path(__file__).parent.glob("*/manifest.yaml")):
        problems: list[Problem] = []
        said = parse_yaml(
            f"{manifest.parent.name}/manifest.yaml", manifest.read_text(encoding="utf-8"), problems
        ).content
        if problems:
            raise problems[0]
        found[manifest.parent.name] = Kind(
            said["id"], said["name"], f"lofte.connectors.{manifest.parent.name}.{said['module']}", said.get("needs") or {},
            tuple(said["acts"]),
        )  # fmt: skip
    return found


def files(home: Path) -> list[Path]:
    """The mapping files of an installation, one a system."""
    return sorted((home / FOLDER).glob("*.yaml"))


def open_file(file: Path) -> Connector:
    """The connector of one mapping file. Raises Problem; the system itself is not asked yet."""
    kind = kinds().get(_kind_of(file))
    if kind is None:
        raise Problem(
            "connector.unknown", "the file does not say which connector reads it", Place(file.name, 1, "connector"),
            expected=f"connector: one of {', '.join(kinds())}",
        )  # fmt: skip
    for module, installed_with in kind.needs.items():
        if find_spec(module) is None:
            raise Problem(
                "connector.not-installed", f"the connector {kind.id} needs {module}, which is not installed",
                Place(file.name), way_out=f"pip install 'lofte[{installed_with}]'", status=503,
            )  # fmt: skip
    opened: Connector = import_module(kind.module).connect(file.stem, file)
    return opened


def kind_of(home: Path, system: str) -> str:
    """Which connector a system's mapping names, also where it refused to start; empty where it names none."""
    return _kind_of(home / FOLDER / f"{system}.yaml")


def _kind_of(file: Path) -> str:
    try:
        said = parse_yaml(file.name, file.read_text(encoding="utf-8"), []).content
    except (OSError, UnicodeDecodeError):
        return ""
    return str(said.get("connector", "")) if isinstance(said, dict) else ""


def connect_all(home: Path) -> tuple[str, ...]:
    """Connect every system of an installation; one that refuses is connected as its refusal, so that nothing owed to it is lost."""
    systems.disconnect_all()
    for file in files(home):
        try:
            systems.connect(file.stem, open_file(file))
        except Problem as problem:
            systems.connect(file.stem, problem)
    return systems.names()
