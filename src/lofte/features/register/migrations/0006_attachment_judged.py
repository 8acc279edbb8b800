from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("register", "0005_holding_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="state",
            field=models.CharField(
                choices=[("looking", "Looking"), ("given", "Given"), ("withheld", "Withheld")],
                default="looking",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="attachment", name="opened_by", field=models.CharField(blank=True, max_length=64)
        ),
        migrations.AddField(
            model_name="attachment", name="judged_by", field=models.CharField(blank=True, max_length=64)
        ),
        migrations.AddField(model_name="attachment", name="judged_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="attachment", name="wanted_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(fields=["state", "wanted_at"], name="register_attachment_wanted"),
        ),
    ]
