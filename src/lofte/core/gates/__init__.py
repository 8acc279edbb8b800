"""What the gates stand on: transfer tools with their dated proof, and the tokens by which other systems ask.

`tools` records and ends listings, clauses, confirmations and stops, and says what runs out; `tokens` makes, checks and revokes
tokens. Nothing here is about a person.
"""
