"""What PostgreSQL, MariaDB/MySQL and SQLite do differently: reaching them, reading only, giving up in time, comparing text exactly.

Everything else is SQLAlchemy's: identifiers are quoted by it and every value is a bound parameter.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from lofte.kernel.problems import Place, Problem

CONNECT_S = 5
STATEMENT_S = 240  # a search through millions of rows takes its time; the lease of an obligation is longer
LOCK_S = 10
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}
_BETWEEN_DIGITS = " -()./\u00a0\u2011"
_NOTHING_BETWEEN = str.maketrans("", "", _BETWEEN_DIGITS)
Text = sa.ColumnElement[str]


def engine_for(url: str, variable: str, *, read_only: bool = False) -> Engine:
    """An engine that shows no parameter in any error, keeps no connection, and gives up in time."""
    parsed = _parsed(url, variable)
    family = parsed.get_backend_name()
    options: dict[str, Any] = {"hide_parameters": True, "poolclass": NullPool}
    match family:
        case "postgresql":
            limits = f"-c statement_timeout={STATEMENT_S * 1000} -c lock_timeout={LOCK_S * 1000}"
            options["connect_args"] = {"connect_timeout": CONNECT_S, "options": limits}
        case "mysql" | "mariadb":
            options["connect_args"] = {
                "connect_timeout": CONNECT_S, "read_timeout": STATEMENT_S, "write_timeout": STATEMENT_S, "charset": "utf8mb4",
            }  # fmt: skip
        case _:
            _demand_file(parsed, variable)
            options["connect_args"] = {"timeout": LOCK_S}
    engine = sa.create_engine(parsed, **options)
    event.listen(engine, "connect", {"sqlite": _begin_sqlite, "postgresql": _begin_postgres}.get(family, _begin_mysql))
    if read_only:
        event.listen(
            engine,
            "connect",
            {"sqlite": _only_read_sqlite, "postgresql": _only_read_postgres}.get(family, _only_read_mysql),
        )
    return engine


def _parsed(url: str, variable: str) -> URL:
    try:
        parsed = make_url(url)
        driver = _DRIVERS.get(parsed.get_backend_name())
    except (sa.exc.ArgumentError, ValueError):
        driver = None
    if driver is None:
        raise Problem(
            "source.bad-url", f"what {variable} holds is not the address of a database we know", Place(key=variable),
            expected="postgresql://, mysql://, mariadb:// or sqlite:///",
        )  # fmt: skip
    return parsed.set(drivername=driver)


def _demand_file(url: URL, variable: str) -> None:
    """SQLite would make the file; a mistyped name must not become an empty database without any people."""
    if not url.database or not Path(url.database).is_file():
        raise Problem(
            "source.unreachable", f"the file that {variable} names is not there", Place(key=variable), status=503,
            expected="sqlite:////absolute/path of an existing file",
        )  # fmt: skip


def _begin_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten in the file
    # SQLite's own lower knows ASCII only.
    connection.create_function("lofte_lower", 1, _lower, deterministic=True)
    connection.create_function("lofte_dialled", 1, _without_between, deterministic=True)


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _without_between(text: Any) -> Any:
    return text.translate(_NOTHING_BETWEEN) if isinstance(text, str) else text


def _begin_postgres(connection: Any, _: object) -> None: ...


def _begin_mysql(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        # A value that does not fit is an error, never cut; a quote is a quote whatever the server was told.
        cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION')")
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {LOCK_S}")


def _only_read_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _only_read_postgres(connection: Any, _: object) -> None:
    connection.read_only = True


def _only_read_mysql(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


@contextmanager
def talking(what: str) -> Iterator[None]:
    """Errors of the database as Problems that quote nothing: its messages hold values."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise Problem(
            "source.referenced", f"{what}: rows that stay refer to rows that should go, or a value must be unique",
            way_out="Map the tables that refer to them, or clear instead of delete.", status=409,
        ) from None  # fmt: skip
    except sa.exc.OperationalError as error:
        code = "source.timeout" if _gave_up(error) else "source.unreachable"
        raise Problem(code, f"{what}: the database did not answer ({_name(error)})", status=503) from None
    except sa.exc.SQLAlchemyError as error:
        raise Problem("source.failed", f"{what}: the database refused ({_name(error)})", status=502) from None


def _name(error: sa.exc.SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    return type(original or error).__name__


def _gave_up(error: sa.exc.OperationalError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return state in ("57014", "55P03") or code in (1205, 1969, 2013, 3024) or "locked" in str(code)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one moment, and writes nothing."""
    level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect() as connection:
        yield connection.execution_options(**level)
        connection.rollback()


# --- text -----------------------------------------------------------------------------------------------------------


def lowered(column: sa.ColumnElement[Any], dialect: str) -> Text:
    """A column as text in small letters, compared letter by letter: no collation that takes ö for o, or a for A."""
    match dialect:
        case "sqlite":
            return sa.func.lofte_lower(sa.cast(column, sa.Text), type_=sa.Text)
        case "postgresql":
            return sa.collate(sa.func.lower(sa.cast(column, sa.Text)), "C")
        case _:
            return sa.collate(sa.func.lower(sa.cast(column, mysql.CHAR(charset="utf8mb4"))), "utf8mb4_bin")


def trimmed(text: Text) -> Text:
    return sa.func.trim(text, type_=sa.Text)


def dialled(text: Text, dialect: str) -> Text:
    """Without what people put between the digits of a phone number. (PostgreSQL: twice as quick as `translate`.)"""
    if dialect == "sqlite":
        return sa.func.lofte_dialled(text, type_=sa.Text)
    for letter in _BETWEEN_DIGITS:
        text = sa.func.replace(text, letter, "", type_=sa.Text)
    return text


def holds(text: Text, needle: sa.BindParameter[Any], dialect: str) -> sa.ColumnElement[bool]:
    """Whether the needle stands anywhere in the text (or bytes in bytes)."""
    match dialect:
        case "sqlite":
            return sa.func.instr(text, needle, type_=sa.Integer) > 0
        case "postgresql" if isinstance(needle.type, sa.LargeBinary):
            return sa.func.position(needle.op("IN")(text), type_=sa.Integer) > 0
        case "postgresql":
            return sa.func.strpos(text, needle, type_=sa.Integer) > 0
        case _:
            return sa.func.locate(needle, text, type_=sa.Integer) > 0


def settle(engine: Engine) -> None:
    """After an erasure in SQLite: old pages leave the write-ahead file too."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
