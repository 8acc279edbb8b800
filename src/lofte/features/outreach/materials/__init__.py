"""Files people ask for: a personal link that ends, and nothing that follows from it."""
