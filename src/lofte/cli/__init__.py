"""One command a chore. A module here with `add_parser(subparsers)` is a command.

`wiring` is the only place that knows everyone.
"""
