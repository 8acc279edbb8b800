"""The same rooms on PostgreSQL: migrations, schema, the newsletter walk, access and erasure, in a database of their own."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [
    "tests/core/test_schema.py",
    "tests/core/test_many.py",
    "tests/core/test_outbox.py",
    "tests/core/test_obligations.py",
    "tests/core/mailing/test_delivering.py",
    "tests/core/mailing/test_suppression.py",
    "tests/features/consent",
    "tests/features/rights/test_access.py",
    "tests/features/rights/test_scan.py",
    "tests/features/rights/test_beside.py",
    "tests/features/rights/test_requests.py",
    "tests/features/rights/test_desks.py",
    "tests/features/rights/test_two_at_once.py",
    "tests/features/sharing",
]
WALKS = (
    "erased_person_is_nowhere or side_table or died_at_any_step or statute or confirms_by_the_mailed_link or one_click"
    " or killed_sweep or test_many or test_beside"
    " or test_obligations or test_schema or test_outbox or test_consent or test_access or test_scan"
    " or test_requests or test_desks or test_two_at_once or test_at_once or test_forgetting"
    " or referral_is_written_down or leaves_no_handle or authority_gets_what or nothing_of_a_sale or goes_by_itself"
    " or killed_anywhere or same_stretch or pause_takes_back or middle_of_a_run"
)


@pytest.mark.postgres
@pytest.mark.timeout(1800)  # a whole suite of its own; a busy machine needs many times its five minutes
def test_the_people_rooms_live_on_postgresql_as_on_sqlite(tmp_path):
    server = os.environ.get("LOFTE_TEST_POSTGRES")
    if not server:
        pytest.skip("LOFTE_TEST_POSTGRES names no cluster")
    location = f"{server.rpartition('/')[0]}/people_{secrets.token_hex(4)}"
    environ = {**os.environ, "LOFTE_DATABASE": location, "LOFTE_HOME": str(tmp_path)}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS"):
        environ.pop(name, None)
    more = ["tests/features/rights/test_erasure.py", "tests/features/outreach", "tests/features/retention"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", WALKS, *ROOMS, *more],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout[-4000:]
