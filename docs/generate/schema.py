"""policy.schema.json: the shape of policy.yaml for editors, as JSON Schema."""

import json

from lofte.rules.model import Policy

NAME = "policy.schema.json"


def made() -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema(by_alias=True)}
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
