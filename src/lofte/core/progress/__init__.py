"""How far long work has come, written down as it goes: people see it move, and after a kill it goes on where it was.

A piece of work is one row by name (`vault.rotate`, `retention.recompute`, `people.import`) and, where there are several of a name,
by what it is about. ``place`` is for the work itself: where to go on. It holds handles and counts, never a value of a person.
"""
