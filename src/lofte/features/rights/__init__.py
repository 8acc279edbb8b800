"""What a person may demand: to see, take along, correct, withdraw, object and be erased."""
