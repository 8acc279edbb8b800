"""The demonstration: a company's site in five editions, the third parties it calls, and a mailbox. Not part of the package."""
