"""access-package.schema.json: the shape of the copy a person gets, as JSON Schema."""

import json
import os
import tempfile

import django
from django.apps import apps

NAME = "access-package.schema.json"


def made() -> str:
    if not apps.ready:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lofte.core.settings")
        os.environ.setdefault("LOFTE_HOME", tempfile.mkdtemp())
        django.setup()
    from lofte.features.rights import package  # needs Django's tables

    return json.dumps(package.schema(), ensure_ascii=False, indent=2) + "\n"
