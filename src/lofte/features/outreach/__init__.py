"""What leaves for people because they asked for it: the newsletter with its double opt-in and its way out."""
