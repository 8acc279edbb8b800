from typing import Any

from django.db import migrations, models


def _by_mail(apps: Any, schema: Any) -> None:
    """Every consent given so far was to letters by e-mail; what was taken back was taken back altogether."""
    apps.get_model("consent", "Consent").everyone.filter(action="granted").update(channel="email")


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]

    operations = [
        migrations.AddField("consent", "channel", models.CharField(blank=True, default="", max_length=8)),
        migrations.RunPython(_by_mail, migrations.RunPython.noop),
    ]
