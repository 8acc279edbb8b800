import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import lofte.core.clock
import lofte.core.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Purge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("event_id", models.UUIDField(db_index=True)),
                ("field", models.CharField(max_length=64)),
                ("gone", models.PositiveIntegerField()),
                ("left", models.PositiveIntegerField()),
                ("kept", models.PositiveIntegerField()),
                ("at", models.DateTimeField(default=lofte.core.clock.now)),
                ("evidence_index", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("slug", models.CharField(max_length=64, unique=True)),
                ("markets", models.JSONField()),
                ("contents", models.JSONField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(db_index=True)),
                ("zone", models.CharField(max_length=64)),
                ("closes_at", models.DateTimeField(null=True)),
                ("online", models.CharField(blank=True, max_length=300)),
                ("capacity", models.PositiveIntegerField()),
                ("has_waiting_list", models.BooleanField(default=True)),
                ("form", models.CharField(max_length=64)),
                ("keep", models.CharField(max_length=16)),
                ("retention", models.JSONField(default=dict)),
                ("reminders", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("cancelled", "Cancelled")],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("taken", models.PositiveIntegerField(default=0)),
                ("turn", models.PositiveIntegerField(default=0)),
                ("sequence", models.PositiveIntegerField(default=0)),
                ("by", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField(default=lofte.core.clock.now)),
                ("published_at", models.DateTimeField(null=True)),
                ("cancelled_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["state", "starts_at"], name="events_event_ahead")],
            },
        ),
        migrations.CreateModel(
            name="Answer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("registration", models.UUIDField()),
                ("event_id", models.UUIDField()),
                ("field", models.CharField(max_length=64)),
                ("sealed", models.BinaryField()),
                ("due_at", models.DateTimeField(db_index=True)),
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
                "indexes": [models.Index(fields=["event_id", "field", "due_at"], name="events_answer_event")],
                "constraints": [
                    models.UniqueConstraint(fields=("person", "registration", "field"), name="events_answer_once")
                ],
            },
            managers=[
                ("everyone", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lofte.core.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.UUIDField(default=lofte.core.models.this_site, editable=False)),
                ("event_id", models.UUIDField()),
                ("purpose", models.CharField(max_length=64)),
                ("market", models.CharField(max_length=2)),
                ("locale", models.CharField(max_length=8)),
                ("wording", models.CharField(max_length=64)),
                ("version", models.CharField(max_length=64)),
                ("reference", models.CharField(max_length=16)),
                (
                    "state",
                    models.CharField(
                        choices=[("registered", "Registered"), ("waiting", "Waiting"), ("left", "Left")], max_length=12
                    ),
                ),
                ("made_at", models.DateTimeField(default=lofte.core.clock.now)),
                ("placed_at", models.DateTimeField(null=True)),
                ("left_at", models.DateTimeField(null=True)),
                ("reminded_at", models.DateTimeField(null=True)),
                ("checked_in_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(db_index=True)),
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
                "indexes": [models.Index(fields=["event_id", "state", "made_at"], name="events_registration_queue")],
                "constraints": [
                    models.UniqueConstraint(fields=("person", "event_id"), name="events_registration_once")
                ],
            },
            managers=[
                ("everyone", django.db.models.manager.Manager()),
            ],
        ),
    ]
