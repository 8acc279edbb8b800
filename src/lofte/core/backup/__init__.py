"""Copies of the three stores and the way back from them. Each store has its own rule:

the log only grows and is never rolled back in silence; the register is sealed and may be kept; the keys are short-lived and lie
elsewhere, since whoever has an old copy of them has the keys of people erased since.

`making` copies while the house is open; `checking` verifies a copy without a house and without Django; `placing` puts a copy into
an empty house; `replaying` erases again who was erased since, before the door opens.
"""
