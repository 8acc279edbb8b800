"""The door for browsers by the million: raw ASGI, no Django, no framework.

Takes consents (never acknowledged before they are durable), serves the frozen bytes of a publication with verdicts and
tokens spliced in, and hands out receipts, proofs and the log. `lofte.edge.app.Edge` is the whole of it to outsiders.
"""
