from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rights", "0005_request_hash"),
    ]

    operations = [
        migrations.AddField(
            model_name="request",
            name="turn",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="request",
            name="assignee",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
