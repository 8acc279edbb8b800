import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import lofte.core.clock
import lofte.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_obligation"),
        ("register", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasedMark",
            fields=[
                ("mark", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(default=lofte.core.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("purpose", models.CharField(max_length=64)),
                ("market", models.CharField(max_length=2)),
                ("source", models.CharField(max_length=64)),
                ("by", models.CharField(max_length=64)),
                ("rows", models.PositiveIntegerField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField(default=lofte.core.clock.now)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("sealed", models.BinaryField()),
                ("made_at", models.DateTimeField(default=lofte.core.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Dialogue",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                (
                    "medium",
                    models.CharField(
                        choices=[
                            ("mail", "Mail"),
                            ("phone", "Phone"),
                            ("meeting", "Meeting"),
                            ("chat", "Chat"),
                            ("post", "Post"),
                        ],
                        max_length=12,
                    ),
                ),
                ("direction", models.CharField(choices=[("in", "In"), ("out", "Out")], max_length=4)),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=64)),
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
                "indexes": [models.Index(fields=["person", "at"], name="register_dialogue_person")],
            },
            managers=[
                ("everyone", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("organisation", models.UUIDField(db_index=True)),
                ("purpose", models.CharField(max_length=64)),
                ("market", models.CharField(max_length=2)),
                ("company", models.UUIDField()),
                ("title", models.UUIDField(null=True)),
                ("role", models.UUIDField(null=True)),
                ("started_at", models.DateTimeField(default=lofte.core.clock.now)),
                ("ended_at", models.DateTimeField(null=True)),
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
                "indexes": [models.Index(fields=["person", "organisation"], name="register_placement_person")],
            },
            managers=[
                ("everyone", django.db.models.manager.Manager()),
            ],
        ),
    ]
