"""A house in processes of its own, and the commands run on it. With LOFTE_TEST_POSTGRES also on databases of its own."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

SCRIPT = Path(__file__).with_name("house_of_copies.py")


@dataclass
class Town:
    """Several houses: the one that lives, and those that are restored."""

    place: Path
    server: str = ""
    databases: list[str] = field(default_factory=list)
    _of: dict[Path, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.place / "home"

    def database(self, home: Path, like: str = "template1") -> str:
        """The PostgreSQL database of a house, made when it is first asked for; empty where houses are files."""
        if not self.server:
            return ""
        if home not in self._of:
            name = _create(self.server, like)
            self.databases.append(name)
            self._of[home] = urlunsplit(urlsplit(self.server)._replace(path=f"/{name}"))
        return self._of[home]

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_", "PYTEST_"))
        }
        paths = [more.pop("PYTHONPATH", ""), clean.get("PYTHONPATH", "")]
        return {
            **clean, "LOFTE_HOME": str(home), "LOFTE_ORIGIN": "http://localhost:8000", "LOFTE_DATABASE": self.database(home),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more,
        }  # fmt: skip

    def live(self, act: str, argument: object = 0, home: Path | None = None) -> dict[str, Any]:
        """Something happens in the house; what it holds then."""
        where = home or self.home
        ended = subprocess.run(
            [sys.executable, str(SCRIPT), str(where), act, str(argument)], capture_output=True, text=True, check=False, timeout=120,
            env=self.environment(where),
        )  # fmt: skip
        assert ended.stdout, ended.stderr[-3000:]
        said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        assert "refused" in said or ended.returncode == 0, ended.stderr[-3000:]
        return said

    def begin(self, act: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.home), act], stdout=subprocess.PIPE, text=True,
            env=self.environment(self.home),
        )  # fmt: skip

    def lofte(
        self, *arguments: object, home: Path | None = None, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        where = home or self.home
        return subprocess.run(
            [sys.executable, "-m", "lofte.cli.main", *map(str, arguments)], capture_output=True, text=True, check=False,
            timeout=120, env=self.environment(where, **environment),
        )  # fmt: skip

    def killer(self, moment: str) -> Path:
        """A folder that, first on the path, kills the process when a function of this name is called."""
        folder = self.place / f"killer-{moment}"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            "import os, signal, sys\n"
            "def profile(frame, event, arg):\n"
            f"    if event == 'call' and frame.f_code.co_name == {moment!r}:\n"
            "        if 'backup' in frame.f_code.co_filename or 'evidence/copying' in frame.f_code.co_filename:\n"
            "            os.kill(os.getpid(), signal.SIGKILL)\n"
            "sys.setprofile(profile)\n"
        )
        return folder

    def backup(self, *more: object) -> tuple[Path, Path]:
        ended = self.lofte(
            "backup", "--to", self.place / "data", "--keys-to", self.place / "elsewhere", "--json", *more
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        said = json.loads(ended.stdout)
        return Path(said["data"]), Path(said["keys"])

    def restore(self, copy: Path, home: Path, *more: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        if self.server and "--surviving" in more:
            environment.setdefault("LOFTE_SURVIVING_DATABASE", self.database(self.home))
        return self.lofte("restore", copy, "--home", home, "--json", *more, home=home, **environment)


@dataclass
class First:
    """The house every town begins with, one for each engine: ten people moved in once, and each town is a copy."""

    place: Path
    homes: dict[str, Path] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)

    def move_in(self, town: Town) -> None:
        if town.server not in self.homes:
            assert town.live("prepare")["people"] == 10
            if town.server:
                self.databases[town.server] = _create(town.server, _named(town.database(town.home)))
            self.homes[town.server] = Path(shutil.copytree(town.home, self.place / f"home-{len(self.homes)}"))
            return
        shutil.copytree(self.homes[town.server], town.home, dirs_exist_ok=True)
        if town.server:
            town.database(town.home, like=self.databases[town.server])


@pytest.fixture(scope="session")
def first_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[First]:
    made = First(tmp_path_factory.mktemp("first"))
    yield made
    for server, name in made.databases.items():
        _drop(server, name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def town(
    request: pytest.FixtureRequest, tmp_path: Path, published: Any, home: Path, first_house: First
) -> Iterator[Town]:
    """Ten people live in a house; on each engine."""
    made = Town(tmp_path)
    if request.param == "postgresql":
        made.server = os.environ.get("LOFTE_TEST_POSTGRES", "")
        if not made.server:
            pytest.skip("LOFTE_TEST_POSTGRES names no cluster; scripts/test starts one")
    assert home == made.home
    first_house.move_in(made)
    yield made
    for name in made.databases:
        _drop(made.server, name)


def _named(location: str) -> str:
    return urlsplit(location).path.lstrip("/")


def _create(server: str, like: str = "template1") -> str:
    """A new database like another one, which nobody may be using."""
    import psycopg

    name = f"copies_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {like}".encode())
    return name


def _drop(server: str, name: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
