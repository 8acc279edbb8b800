"""Events: registration, waiting list, reminders, attendance, and the end of each answer."""
