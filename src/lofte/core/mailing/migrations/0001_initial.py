import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import lofte.core.clock
import lofte.core.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0007_mail_due"),
    ]

    operations = [
        migrations.CreateModel(
            name="Taken",
            fields=[
                ("hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True, default=lofte.core.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Bounce",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("mail", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("hard", "Hard"),
                            ("soft", "Soft"),
                            ("blocked", "Blocked"),
                            ("complaint", "Complaint"),
                        ],
                        max_length=12,
                    ),
                ),
                ("status", models.CharField(blank=True, max_length=12)),
                ("address", models.CharField(blank=True, max_length=64)),
                ("at", models.DateTimeField(default=lofte.core.clock.now)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="core.person"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "default_manager_name": "everyone",
                "indexes": [models.Index(fields=["person", "address", "at"], name="mailing_bounce_address")],
                "constraints": [models.UniqueConstraint(fields=("person", "mail", "kind"), name="mailing_bounce_once")],
            },
            managers=[
                ("everyone", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("address", models.CharField(blank=True, max_length=64)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("hard", "Hard"),
                            ("soft", "Soft"),
                            ("blocked", "Blocked"),
                            ("complaint", "Complaint"),
                        ],
                        max_length=12,
                    ),
                ),
                ("status", models.CharField(blank=True, max_length=12)),
                ("at", models.DateTimeField(default=lofte.core.clock.now)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="core.person"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "default_manager_name": "everyone",
                "constraints": [models.UniqueConstraint(fields=("person", "address"), name="mailing_suppression_once")],
            },
            managers=[
                ("everyone", django.db.models.manager.Manager()),
            ],
        ),
    ]
