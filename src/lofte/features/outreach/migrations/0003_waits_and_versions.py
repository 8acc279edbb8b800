from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outreach", "0002_campaigns")]

    operations = [
        migrations.AddField("campaign", "patience", models.PositiveSmallIntegerField(default=7)),
        migrations.AddField("campaign", "version", models.PositiveIntegerField(default=0)),
        migrations.AlterField("delivery", "campaign_id", models.UUIDField()),
        migrations.AlterField(
            "delivery",
            "state",
            models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("suppressed", "Suppressed"),
                    ("skipped", "Skipped"),
                    ("waiting", "Waiting"),
                    ("put_off", "Put Off"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            "delivery", models.Index(fields=["campaign_id", "state"], name="outreach_delivery_by_state")
        ),
    ]
