"""The rooms. One feature, one subject; siblings never import each other and speak through facts in `core.outbox`."""
