from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_obligation_share"),
    ]

    operations = [
        migrations.AddField(
            model_name="mail",
            name="address",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="mail",
            name="lease",
            field=models.CharField(blank=True, max_length=32),
        ),
    ]
