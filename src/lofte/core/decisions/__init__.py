"""May this data be used, sent or shared for that? Denied unless the publication in force and what is on file allow it.

`deciding` judges one use, `table` compiles a publication and the agreements on file into something that answers in microseconds;
both are pure. `asking` brings them what the register and the other rooms know. Ask here; nobody needs the modules inside.
"""

from lofte.core.decisions.asking import Answer, ask, known, may_share, table
from lofte.core.decisions.deciding import BY_LAW, LEGAL_CLAIMS, Decision, decide, promise_of
from lofte.core.decisions.table import Act, Case, Question, Table, compiled
from lofte.core.ports import Agreement

__all__ = [
    "BY_LAW",
    "LEGAL_CLAIMS",
    "Act",
    "Agreement",
    "Answer",
    "Case",
    "Decision",
    "Question",
    "Table",
    "ask",
    "compiled",
    "decide",
    "known",
    "may_share",
    "promise_of",
    "table",
]
