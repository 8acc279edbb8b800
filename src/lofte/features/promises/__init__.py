"""The board: what is promised, whether it is kept, and when that was last proved."""
