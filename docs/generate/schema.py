"""policy.schema.json: the shape of policy.yaml for editors, as JSON Schema."""

import json
from typing import Any

from lofte.rules.model import Policy

NAME = "policy.schema.json"
_TAKEN = {"Tag": ("name", "hosts"), "System": ("name", "kind"), "Recipient": ("name", "role", "country")}
"""What `known` may stand for: the catalogue fills it before the policy is read."""


def made() -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema(by_alias=True)}
    for name, taken in _TAKEN.items():
        _may_be_known(schema["$defs"][name], taken)
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _may_be_known(definition: dict[str, Any], taken: tuple[str, ...]) -> None:
    required = [key for key in definition["required"] if key not in taken]
    definition["anyOf"] = [{"required": ["known"]}, {"required": list(taken)}]
    if required:
        definition["required"] = required
    else:
        del definition["required"]
