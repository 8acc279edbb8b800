"""Problems as SARIF 2.1.0 (OASIS standard), which code hosts show beside the lines they are about."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import lofte
from lofte.kernel.problems import Problem
from lofte.rules.codes import CODES

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """One run with every rule that was broken and every place it was broken at."""
    used = list(dict.fromkeys(problem.code for problem in problems))
    driver = {
        "name": "lofte check",
        "version": lofte.__version__,
        "informationUri": "https://github.com/lofte/lofte",
        "rules": [_rule(code) for code in used],
    }
    results = [_result(problem, used.index(problem.code)) for problem in problems]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(code: str) -> dict[str, Any]:
    known = CODES.get(code)
    meaning = known.meaning if known else code
    rule: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": meaning},
        "defaultConfiguration": {"level": known.severity if known else "error"},
    }
    if known and (known.way_out or known.law):
        law = f" Law: {known.law}." if known.law else ""
        rule["help"] = {"text": f"{known.way_out or meaning}{law}"}
    return rule


def _result(problem: Problem, rule_index: int) -> dict[str, Any]:
    parts = [problem.detail[:1].upper() + problem.detail[1:] + "."]
    parts += [f"Expected: {problem.expected}."] if problem.expected else []
    parts += [f"Law: {problem.law}."] if problem.law else []
    parts += [problem.way_out] if problem.way_out else []
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(problem.place.file)},
            "region": {"startLine": max(problem.place.line, 1)},
        }
    }
    if problem.place.key:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.place.key}]
    return {
        "ruleId": problem.code,
        "ruleIndex": rule_index,
        "level": problem.severity,
        "message": {"text": " ".join(parts)},
        "locations": [location],
    }
