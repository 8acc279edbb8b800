from django.db import migrations, models

import lofte.core.clock


class Migration(migrations.Migration):
    dependencies = [("outreach", "0001_initial")]

    operations = [
        migrations.RenameModel("Issue", "Campaign"),
        migrations.AddField("campaign", "name", models.CharField(default="", max_length=120)),
        migrations.AddField("campaign", "markets", models.JSONField(default=list)),
        migrations.AddField("campaign", "segment", models.UUIDField(null=True)),
        migrations.AddField("campaign", "changed_at", models.DateTimeField(default=lofte.core.clock.now)),
        migrations.AddField("campaign", "due_at", models.DateTimeField(null=True)),
        migrations.AddField("campaign", "started_at", models.DateTimeField(null=True)),
        migrations.AddField("campaign", "place", models.UUIDField(null=True)),
        migrations.AddField("campaign", "step", models.PositiveIntegerField(default=0)),
        migrations.AddField("campaign", "looked", models.PositiveIntegerField(default=0)),
        migrations.AddField("campaign", "is_at_end", models.BooleanField(default=False)),
        migrations.AddField("campaign", "halted", models.CharField(blank=True, max_length=64)),
        migrations.AlterField(
            "campaign",
            "state",
            models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("scheduled", "Scheduled"),
                    ("sending", "Sending"),
                    ("paused", "Paused"),
                    ("sent", "Sent"),
                    ("stopped", "Stopped"),
                ],
                db_index=True,
                default="draft",
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint("delivery", "outreach_delivery_once"),
        migrations.RenameField("delivery", "issue_id", "campaign_id"),
        migrations.AddConstraint(
            "delivery",
            models.UniqueConstraint(fields=("person", "campaign_id"), name="outreach_delivery_once"),
        ),
        migrations.AlterField(
            "delivery",
            "state",
            models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("suppressed", "Suppressed"),
                    ("skipped", "Skipped"),
                    ("waiting", "Waiting"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField("signup", "purpose", models.CharField(default="newsletter", max_length=64)),
        migrations.AddField("signup", "channel", models.CharField(default="email", max_length=8)),
        migrations.AddField("signup", "shown", models.CharField(default="form.newsletter", max_length=64)),
    ]
