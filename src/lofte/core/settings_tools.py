"""Settings for programs that load Django with no company behind it: tests, the type checker, makemigrations.

The same settings on a throwaway data directory that goes away with the process. Never use them to serve.
"""

import atexit
import os
import shutil
import tempfile

if not os.environ.get("LOFTE_HOME"):
    _folder = tempfile.mkdtemp(prefix="lofte-tools-")
    os.environ["LOFTE_HOME"] = _folder
    _maker = os.getpid()

    def _remove() -> None:
        if os.getpid() == _maker:  # a forked child leaves its parent's directory alone
            shutil.rmtree(_folder, ignore_errors=True)

    atexit.register(_remove)

from lofte.core.settings import *  # noqa: F403  # the environment had to be set first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, for throwaway staff only
for _database in DATABASES.values():  # noqa: F405
    if _database["ENGINE"] == "django.db.backends.sqlite3":
        # A file, as in life: threads and killed processes meet the same locks.
        _database["TEST"] = {"NAME": f"{_database['NAME']}.test"}
