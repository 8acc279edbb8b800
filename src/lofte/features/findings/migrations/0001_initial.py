from django.db import migrations, models

import lofte.core.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Finding",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("seen_by", models.CharField(max_length=16)),
                ("kind", models.CharField(max_length=32)),
                ("what", models.CharField(max_length=255)),
                ("market", models.CharField(blank=True, max_length=2)),
                ("page", models.CharField(max_length=255)),
                ("times", models.PositiveBigIntegerField(default=0)),
                ("first_seen", models.DateTimeField()),
                ("last_seen", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("seen_by", "kind", "what", "market"), name="findings_once"),
                ],
            },
        ),
    ]
