"""The living system watched: one file a control, each gathers what its control is judged from.

A probe looks from outside where it can (a visitor, a browser, a person with a mailbox) and into the stores where it
must.
It never decides; the control's judge does. Adding a probe is adding a file named like its control.
"""
