"""A shop's database, on each engine that is here, with everything that goes wrong with real ones: chains of foreign keys, composite
keys, a shared address, an odd name, a table nobody mapped, rows a statute keeps.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from lofte.connectors.sql import client
from lofte.core import systems
from lofte.core.systems import Act, Who

KARI, OLA = "kari.nordmann@example.no", "ola@example.no"
WHO = Who((("email", "Kari.Nordmann@Example.no"), ("phone", "+47 900 12 345"), ("name", "Kari Nordmann")))

MAPPING = """\
connector: sql
format: sql/1
url_from: LOFTE_SOURCE_SHOP
country: "NO"
tables:
  customers:
    find: { email: email, phone: phone }
    purpose: customer
    erase: delete
    columns: { email: email, phone: phone, full_name: name, notes: dialogue }
    withdrawn: { newsletter: { opted_in: false } }
    restricted: { is_blocked: true }
    released: { is_blocked: false }
  addresses:
    via: customers
    purpose: customer
    erase: delete
    columns: { street: dialogue }
  orders:
    via: customers
    purpose: customer
    erase: delete
    columns: { delivery_note: dialogue }
  order_lines:
    via: orders
    erase: delete
  'odd "name"; --':
    find: { email: 'e mail"' }
    purpose: newsletter
    erase: clear
    columns:
      'e mail"': { field: email, erase: mask, mask: "erased-{unique}@invalid.example" }
      select: { field: name, erase: clear }
      year: { field: topics, erase: mask, mask: 0 }
  ledger:
    via: { table: customers, columns: { customer_number: number } }
    purpose: accounting
    erase: keep
    law: "Bokføringsloven 13"
    columns: { billed_to: name }
not_personal:
  side_notes: "Filled by nobody; kept empty since 2020"
"""


def tables(metadata: sa.MetaData) -> None:
    text = sa.String(200)
    sa.Table(
        "addresses", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("street", text, nullable=False)
    )
    sa.Table(
        "customers", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("number", sa.Integer, unique=True),
        sa.Column("email", text), sa.Column("phone", sa.String(40)), sa.Column("full_name", text), sa.Column("notes", sa.Text),
        sa.Column("opted_in", sa.Boolean), sa.Column("is_blocked", sa.Boolean),
        sa.Column("address_id", sa.Integer, sa.ForeignKey("addresses.id")),
    )  # fmt: skip
    sa.Table(
        "orders", metadata, sa.Column("shop", sa.String(8), primary_key=True), sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id"), nullable=False), sa.Column("delivery_note", sa.Text),
    )  # fmt: skip
    sa.Table(
        "order_lines", metadata, sa.Column("shop", sa.String(8), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True), sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("article", text), sa.ForeignKeyConstraint(["shop", "number"], ["orders.shop", "orders.number"]),
    )  # fmt: skip
    sa.Table(
        'odd "name"; --', metadata, sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column('e mail"', text, unique=True, nullable=False),
        sa.Column("select", text), sa.Column("year", sa.Integer),
    )  # fmt: skip
    sa.Table(
        "ledger", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("customer_number", sa.Integer),
        sa.Column("billed_to", text), sa.Column("amount", sa.Numeric(10, 2)),
    )  # fmt: skip
    sa.Table("side_notes", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("body", sa.JSON))


ROWS: dict[str, list[dict[str, Any]]] = {
    "addresses": [{"id": 1, "street": "Storgata 1, 0155 Oslo"}, {"id": 2, "street": "Delt vei 2, 5003 Bergen"}],
    "customers": [
        {
            "id": 1, "number": 101, "email": " KARI.Nordmann@example.no ", "phone": "900 12 345", "full_name": "Kari Nordmann",
            "notes": "Ringte om fakturaen i mars", "opted_in": True, "is_blocked": False, "address_id": 1,
        },
        {
            "id": 2, "number": 102, "email": None, "phone": "0047 900-12-345", "full_name": "K. Nordmann", "notes": None,
            "opted_in": True, "is_blocked": False, "address_id": 2,
        },
        {
            "id": 3, "number": 103, "email": OLA, "phone": "+47 90012345", "full_name": "Ola Hansen", "notes": "bor med Kari",
            "opted_in": True, "is_blocked": False, "address_id": 2,
        },
    ],
    "orders": [
        {"shop": "oslo", "number": 1, "customer_id": 1, "delivery_note": "Ring på hos naboen, andre etasje"},
        {"shop": "oslo", "number": 2, "customer_id": 3, "delivery_note": None},
        {"shop": "bergen", "number": 1, "customer_id": 2, "delivery_note": None},
    ],
    "order_lines": [
        {"shop": "oslo", "number": 1, "line": 1, "article": "stol"},
        {"shop": "oslo", "number": 1, "line": 2, "article": "bord"},
        {"shop": "oslo", "number": 2, "line": 1, "article": "lampe"},
        {"shop": "bergen", "number": 1, "line": 1, "article": "sofa"},
    ],
    'odd "name"; --': [
        {"id": uuid4(), 'e mail"': KARI, "select": "Kari", "year": 1980},
        {"id": uuid4(), 'e mail"': OLA, "select": "Ola", "year": 1981},
    ],
    "ledger": [
        {"id": 1, "customer_number": 101, "billed_to": "Kari Nordmann", "amount": 10},
        {"id": 2, "customer_number": 103, "billed_to": "Ola Hansen", "amount": 20},
    ],
    "side_notes": [{"id": 1, "body": {"n": 1}}],
}  # fmt: skip


@dataclass
class Shop:
    """The database, seen by somebody who knows nothing of the connector under test."""

    url: str
    file: Path
    metadata: sa.MetaData = field(default_factory=sa.MetaData)

    def __post_init__(self) -> None:
        self.engine = sa.create_engine(self.url, poolclass=NullPool)

    def fill(self) -> None:
        tables(self.metadata)
        self.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            for name, rows in ROWS.items():
                connection.execute(self.table(name).insert(), rows)

    def table(self, name: str) -> sa.Table:
        return self.metadata.tables[name]

    def rows(self, name: str) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            query = sa.select(self.table(name)).order_by(*self.table(name).primary_key.columns)
            return [dict(row._mapping) for row in connection.execute(query)]

    def column(self, name: str, column: str) -> list[Any]:
        return [row[column] for row in self.rows(name)]

    def do(self, statement: Any, *values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement, *values)

    def add(self, name: str, **values: Any) -> None:
        self.do(self.table(name).insert().values(**values))

    def make(self, name: str, *columns: sa.Column[Any]) -> sa.Table:
        """Another table, as grows in every company."""
        table = sa.Table(name, self.metadata, *columns)
        table.create(self.engine)
        return table

    def mapping(self, change: Callable[[str], str] = lambda text: text) -> None:
        self.file.write_text(change(MAPPING), encoding="utf-8")

    def source(self) -> client.SqlSource:
        return client.connect("shop", self.file)


def act(what: str, who: Who = WHO, **more: Any) -> Act:
    return Act(uuid4(), what, who, **more)


@pytest.fixture
def do() -> Callable[..., Act]:
    return act


@pytest.fixture
def who() -> Who:
    return WHO


@pytest.fixture
def shop_policy(published: Any, republish: Any) -> None:
    """The small policy with the shop among its systems."""

    def change(policy: dict[str, Any]) -> None:
        policy["systems"]["shop"] = {
            "name": "The shop",
            "kind": "crm",
            "fields": ["email", "name", "phone", "dialogue"],
        }
        policy["fields"]["phone"]["indexed"] = True

    republish(change)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def shop(request: Any, tmp_path: Path, shop_policy: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The shop, filled, with its mapping."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(_DATABASES[request.param](request, tmp_path))
        made = Shop(url, tmp_path / "shop.yaml")
        made.fill()
        made.mapping()
        monkeypatch.setenv("LOFTE_SOURCE_SHOP", url)
        yield made


@pytest.fixture
def small_shop(tmp_path: Path, shop_policy: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop on SQLite only, for what is the same everywhere."""
    made = Shop(f"sqlite:///{_sqlite_file(tmp_path)}", tmp_path / "shop.yaml")
    made.fill()
    made.mapping()
    monkeypatch.setenv("LOFTE_SOURCE_SHOP", made.url)
    return made


@pytest.fixture(autouse=True)
def nothing_connected() -> Iterator[None]:
    yield
    systems.disconnect_all()


# --- engines --------------------------------------------------------------------------------------------------------


def _sqlite_file(folder: Path) -> Path:
    file = folder / "shop.sqlite3"
    file.touch()
    return file


@contextlib.contextmanager
def _sqlite(request: Any, folder: Path) -> Iterator[str]:
    yield f"sqlite:///{_sqlite_file(folder)}"


@contextlib.contextmanager
def _postgres(request: Any, folder: Path) -> Iterator[str]:
    server = os.environ.get("LOFTE_TEST_POSTGRES")
    if not server:
        pytest.skip("LOFTE_TEST_POSTGRES names no server; scripts/test starts one")
    import psycopg

    name = f"shop_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(server)._replace(scheme="postgresql+psycopg", path=f"/{name}"))
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def _mariadb(request: Any, folder: Path) -> Iterator[str]:
    server = request.getfixturevalue("mariadb_server")
    engine = sa.create_engine(f"{server}/mysql", poolclass=NullPool, isolation_level="AUTOCOMMIT")
    name = f"shop_{secrets.token_hex(4)}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield f"{server}/{name}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")


_DATABASES = {"sqlite": _sqlite, "postgres": _postgres, "mariadb": _mariadb}


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """A MariaDB of our own on a free port, with an empty data directory."""
    server, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if not server or not install:
        pytest.skip(
            "MariaDB is not installed (Debian: apt-get install mariadb-server-core mariadb-client-core, as root)"
        )
    data = Path(tempfile.mkdtemp(prefix="lofte-mariadb-"))
    user = _server_user()
    if user == ["--user=mysql"]:
        shutil.chown(data, "mysql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scratch = {**os.environ, "TMPDIR": str(data)}  # a folder the server's user may write in
    made = subprocess.run(
        [install, "--no-defaults", f"--datadir={data}/db", "--auth-root-authentication-method=normal", *user],
        capture_output=True, check=False, env=scratch,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("MariaDB could not make a data directory here")
    running = subprocess.Popen(
        [
            server, "--no-defaults", f"--datadir={data}/db", f"--port={port}", "--bind-address=127.0.0.1",
            f"--socket={data}/socket", f"--pid-file={data}/pid", "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=32M", *user,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=scratch,
    )  # fmt: skip
    try:
        url = f"mariadb+pymysql://root@127.0.0.1:{port}"
        _wait_for(url)
        yield url
    finally:
        running.terminate()
        running.wait(30)
        shutil.rmtree(data, ignore_errors=True)


def _server_user() -> list[str]:
    """The server does not run as root unless it is told to; the package's own user is better, where there is one."""
    if os.getuid() != 0:
        return []
    try:
        pwd.getpwnam("mysql")
    except KeyError:
        return ["--user=root"]
    return ["--user=mysql"]


def _wait_for(url: str) -> None:
    engine = sa.create_engine(f"{url}/mysql", poolclass=NullPool)
    for _ in range(300):
        try:
            engine.connect().close()
            return
        except sa.exc.OperationalError:
            time.sleep(0.1)
    raise AssertionError("MariaDB did not start")
