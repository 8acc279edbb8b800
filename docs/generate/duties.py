"""duties.md: the recurring chores, read from their declarations in the code."""

import ast
from collections.abc import Iterator
from datetime import timedelta

from docs.generate.markdown import ROOT, code, lasting, page, table, told

NAME = "duties.md"

MEANING = {
    "codes.remove_expired": "forgets links that can no longer be used, and counters whose window has ended",
    "findings.flush": "writes down what gate and browsers held back",
    "findings.forget": "forgets third parties and names that nobody met for a quarter of a year",
    "mail.deliver": "sends what is queued; suppresses what may no longer be sent",
    "outbox.drain": "carries facts to the evidence log and to their subscribers",
    "outreach.forget_unconfirmed": "forgets sign-ups nobody confirmed in time",
    "policy.publish": "puts in force what `lofte publish` handed over to the running server",
    "promises.publish": "rewrites the public verdicts, so that a proof that grew too old stops counting",
    "retention.sweep": "erases what is past its clock, person by person, and searches for what is left",
    "rights.answer_asks": "answers requests for a link to the portal, so that the answer's time tells nothing",
    "rights.follow_requests": "ends requests whose last connected system has confirmed, and begins erasures two people approved",
    "rights.forget_corrections": "forgets corrections of an address that nobody confirmed",
    "rights.forget_requests": "forgets requests that ended longer ago than policy and statute want them kept",
    "rights.remind": "tells each market's contact for data protection which requests are near their last day, or past it",
    "rights.resume_erasures": "carries on with every erasure that is not proved yet",
    "sessions.clear_expired": "forgets sessions that have ended",
    "vault.rotate_epoch": "wraps each person's key anew and destroys the old wrapping key, so that old backups open nothing",
}

_LEAD = """A duty is a chore the law or the house demands again and again. Each is a row in the register with its next
hour; one process claims it, a second may take over when the first dies. A duty that is more than fifteen minutes late
is named by `lofte doctor` and in the console. They run inside `lofte serve`."""


def made() -> str:
    rows = [(code(name), lasting(every), meaning(name, said)) for name, every, said in sorted(declared())]
    return page("Duties", _LEAD, table(("duty", "every", "does"), rows))


def meaning(name: str, docstring: str) -> str:
    """What is written here, or else the first sentence of the duty's own docstring."""
    if name in MEANING:
        return MEANING[name]
    first = told(docstring.split(". ")[0]).rstrip(".;")
    if not first:
        raise LookupError(f"say what {name} does, in its docstring or in docs/generate/duties.py")
    return first[0].lower() + first[1:]


def declared() -> Iterator[tuple[str, timedelta, str]]:
    """Every ``@duty("name", every=timedelta(...))`` in the package."""
    for file in sorted((ROOT / "src" / "lofte").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                said = ast.get_docstring(node) or ""
                yield from ((*_read(each), said) for each in node.decorator_list if _is_duty(each))


def _is_duty(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "duty"


def _read(call: ast.expr) -> tuple[str, timedelta]:
    assert isinstance(call, ast.Call)
    every = next(each.value for each in call.keywords if each.arg == "every")
    assert isinstance(every, ast.Call)
    return ast.literal_eval(call.args[0]), timedelta(
        **{each.arg: ast.literal_eval(each.value) for each in every.keywords if each.arg}
    )
