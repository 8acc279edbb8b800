"""Whoever reads what is held about a person says what for, and leaves a look: code as well as staff.

Values can only be read by opening what is sealed. So every function that opens something sealed either takes a purpose and an actor
(and hands them to the register, which decides and keeps the look), or stands in the list below with the reason why what it opens
is not a look at a person. A function that is in neither fails here.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "lofte"
ROOMS = ("core", "features", "web", "cli", "probes", "connectors")

OWN_WORDS = "a letter, a request or an order under way, opened to be carried out; not the register"
COMPARES = "compares or indexes while writing; nothing opened leaves the function"
CARRIES = "seals the same values anew under another key; nothing opened leaves the function"
INNER = "opens for a caller that has asked: every caller names purpose and actor, or is the person's own copy"
NO_PERSON = "no value of a person: an organisation's name, a list in hand, or no sealed value at all"
EXPLAINED = {
    "core.backup.manifest:flush": NO_PERSON,
    "core.mailing.delivering:_Built.__call__": OWN_WORDS,
    "core.mailing.journal:_taken": NO_PERSON,
    "core.merging:move": CARRIES,
    "core.obligations:_payload": OWN_WORDS,
    "core.obligations:follow": CARRIES,
    "core.vault:_destroy_file": NO_PERSON,
    "core.vault:open_for_house": NO_PERSON,
    "features.outreach.inquiries.holdings:_notes": INNER,
    "features.outreach.inquiries.letters:contact_of": OWN_WORDS,
    "features.outreach.inquiries.letters:thread_of": OWN_WORDS,
    "features.outreach.signups:confirm": OWN_WORDS,
    "features.outreach.materials.files:_freeze": NO_PERSON,
    "features.policy.verbs:_flush_directory": NO_PERSON,
    "features.register.attachments:_seen": INNER,
    "features.register.attachments:content_of": INNER,
    "features.register.attachments:follow": CARRIES,
    "features.register.index:_found_by": COMPARES,
    "features.register.index:renew_person": COMPARES,
    "features.register.lists:_open": NO_PERSON,
    "features.register.lists:_told": NO_PERSON,
    "features.register.merging:_Holdings._text": COMPARES,
    "features.register.merging:history": INNER,
    "features.register.organisations:name_of": NO_PERSON,
    "features.register.reads:_held": INNER,
    "features.register.verbs:_hold_placed": COMPARES,
    "features.register.verbs:correct_value": COMPARES,
    "features.rights.cases:contact_of": OWN_WORDS,
    "features.rights.cases:opened_of": INNER,
    "features.rights.cases:words_of": OWN_WORDS,
    "features.rights.erasure:_values": OWN_WORDS,
    "features.rights.ledger:seal_anew": CARRIES,
    "features.rights.together:_values": OWN_WORDS,
    "features.rights.verbs:_answer": OWN_WORDS,
    "features.rights.verbs:confirm_address": OWN_WORDS,
    "features.sharing.agreements:contact_of": NO_PERSON,
    "features.sharing.agreements:secret_of": NO_PERSON,
    "features.sharing.papers:opened": NO_PERSON,
    "features.sharing.recalls:_desk": NO_PERSON,
}
INNER_CALLERS = {
    "features.register.reads:_held": {"holdings_of", "holdings_of_many", "open_all"},
    "features.register.attachments:_seen": {"of", "of_person", "content_of", "open_one"},
}


def openings(source: str) -> Iterator[tuple[str, bool]]:
    """Functions that open something sealed: (qualified name, whether they take a purpose and an actor)."""
    for name, function in _functions(ast.parse(source), ""):
        calls = (node for node in _own_nodes(function) if isinstance(node, ast.Call))
        if any(_opens(call) for call in calls):
            taken = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
            yield name, {"purpose", "by"} <= taken


def _opens(call: ast.Call) -> bool:
    """`opener.open(record, sealed)`, `vault.open_for_house(record, sealed)`: two arguments, the second what is sealed."""
    called = call.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name not in ("open", "open_for_house") or len(call.args) != 2 or call.keywords:
        return False
    return not isinstance(call.args[1], ast.Constant)  # open("file", "rb")


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{prefix}{node.name}", node
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif not isinstance(node, ast.expr):
            yield from _functions(node, prefix)


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What stands in the function itself, without functions within it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node
            yield from _own_nodes(node)  # type: ignore[arg-type]  # walks any node


def _found() -> dict[str, bool]:
    return {
        f"{'.'.join(file.relative_to(SOURCE).with_suffix('').parts)}:{name}": states
        for room in ROOMS
        for file in sorted((SOURCE / room).rglob("*.py"))
        for name, states in openings(file.read_text(encoding="utf-8"))
    }


def test_every_function_that_opens_something_sealed_names_a_purpose_or_is_explained():
    unexplained = sorted(name for name, states in _found().items() if not states and name not in EXPLAINED)

    assert unexplained == [], "take purpose and by and ask the register, or say in EXPLAINED why this is no look"


def test_nothing_is_explained_that_is_not_there():
    assert sorted(set(EXPLAINED) - set(_found())) == []


@pytest.mark.parametrize("inner", INNER_CALLERS)
def test_what_opens_for_others_is_called_by_those_who_ask_and_nobody_else(inner):
    room, name = inner.split(":")
    tree = ast.parse((SOURCE / (room.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    callers = {
        caller
        for caller, function in _functions(tree, "")
        for node in _own_nodes(function)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name
    }

    assert callers == INNER_CALLERS[inner]


@pytest.mark.django_db
def test_no_reading_of_the_register_has_a_purpose_or_an_actor_by_default():
    from lofte.core.ports import Register
    from lofte.features.register import attachments, reads

    for read in (
        reads.holdings_of, reads.file_of, reads.value_of, reads.open_all, reads.demand, attachments.open_one,
        Register.read, Register.needles_of,
    ):  # fmt: skip
        parameters = inspect.signature(read).parameters
        assert parameters["purpose"].default is inspect.Parameter.empty, read
        assert parameters["by"].default is inspect.Parameter.empty, read


def test_sealed_rows_of_the_register_are_touched_by_the_register_alone():
    outside = [
        str(file.relative_to(SOURCE))
        for file in sorted(SOURCE.rglob("*.py"))
        if "features/register" not in file.as_posix()
        and _imports_rows(file)
        and any(isinstance(node, ast.Attribute) and node.attr == "sealed" for node in ast.walk(_tree(file)))
    ]

    assert outside == []


def _imports_rows(file: Path) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "lofte.features.register.models"
        for node in ast.walk(_tree(file))
    )


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


PLANTED = {
    "by an opener": "def peek(person):\n    return vault.opener(person).open(row.id, row.sealed)",
    "by a house key": "def peek(row):\n    return vault.open_for_house(row.id, row.sealed)",
    "within a method": "class A:\n    def peek(self, row):\n        return self.key.open(row.id, bytes(row.sealed))",
    "with a purpose but nobody": "def peek(person, purpose):\n    return key.open(row.id, row.sealed)",
    "within a condition": "if True:\n    def peek(key, row):\n        return [key.open(r.id, r.sealed) for r in row]",
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_read_without_a_purpose_is_caught(case):
    assert [states for _, states in openings(PLANTED[case])] == [False]


def test_a_read_that_names_its_purpose_is_let_through():
    good = "def look(person, purpose, *, by):\n    return vault.opener(person).open(row.id, row.sealed)"

    assert list(openings(good)) == [("look", True)]


def test_a_file_on_disk_is_nobodys_value():
    assert list(openings("def load(path):\n    return open(path, 'rb')")) == []
