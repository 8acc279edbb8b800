from typing import Any

from django.db import migrations, models


def know_all(apps: Any, schema_editor: Any) -> None:
    """Whoever is registered when this is installed has been told of everything already."""
    registrations = apps.get_model("events", "Registration")
    for event_id, sequence in (
        apps.get_model("events", "Event").objects.filter(sequence__gt=0).values_list("id", "sequence")
    ):
        registrations.objects.filter(event_id=event_id).update(told=sequence)


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0002_listed"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="has_news",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="registration",
            name="told",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(know_all, migrations.RunPython.noop),
    ]
