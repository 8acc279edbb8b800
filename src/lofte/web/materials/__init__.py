"""Pages about materials for whoever asks: what there is, one material with its form, and the mailed link."""
