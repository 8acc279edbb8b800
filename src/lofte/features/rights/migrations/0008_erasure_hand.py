from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rights", "0007_step_reason"),
    ]

    operations = [
        migrations.AddField(
            model_name="erasure",
            name="hand",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(fields=["hand", "state"], name="rights_erasure_hand"),
        ),
    ]
