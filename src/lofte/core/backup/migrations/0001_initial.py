from django.db import migrations, models

import lofte.core.clock
import lofte.core.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Copy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("run", models.CharField(db_index=True, max_length=32)),
                ("what", models.CharField(choices=[("data", "Data"), ("keys", "Keys")], max_length=8)),
                ("place", models.CharField(max_length=1000)),
                ("made_at", models.DateTimeField(default=lofte.core.clock.now)),
                ("bytes", models.BigIntegerField(default=0)),
                ("log_size", models.BigIntegerField(default=0)),
                ("epochs", models.JSONField(default=list)),
                ("verified_at", models.DateTimeField(null=True)),
                ("delete_by", models.DateTimeField(null=True)),
                ("gone_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
