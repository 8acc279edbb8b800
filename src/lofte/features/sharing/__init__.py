"""Data that leaves for others: partners by agreement, authorities by decision, successors by a case. There is no other way out."""
