"""`check`: everything wrong with a policy directory, each fault with file, line, key, expectation, law and way out.

Pure: the files, the day and the controls come in, problems go out, in the order of the files. It never raises on what
a directory holds; a policy is publishable when no problem of severity ``error`` is left.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from lofte.kernel.problems import Problem
from lofte.rules.checks import banner, declarations, forms, known, notice, promises, storage, texts, topics, transfers
from lofte.rules.checks.case import Case
from lofte.rules.controls import all_controls
from lofte.rules.source import Source, read

_SUBJECTS = (declarations, forms, banner, storage, known, transfers, promises, texts, topics, notice)


def check(files: Mapping[str, str], at: date, controls: Collection[str] | None = None) -> list[Problem]:
    """Every problem of a policy directory on a day; ``controls`` are the ids that exist, by default all of ours."""
    return check_source(read(files), at, controls)


def check_source(source: Source, at: date, controls: Collection[str] | None = None) -> list[Problem]:
    """As `check`, for a directory already read."""
    found = list(source.problems)
    if source.policy is not None:
        case = Case(source, source.policy, at, all_controls() if controls is None else controls)
        for subject in _SUBJECTS:
            found += subject.problems(case)
    return sorted(
        _distinct(found), key=lambda problem: (problem.place.file, problem.place.line, problem.code, problem.detail)
    )


def errors(problems: Sequence[Problem]) -> list[Problem]:
    """The problems that forbid publishing."""
    return [problem for problem in problems if problem.severity == "error"]


def _distinct(problems: Sequence[Problem]) -> list[Problem]:
    said: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        said.setdefault((problem.place, problem.code, problem.detail), problem)
    return list(said.values())
