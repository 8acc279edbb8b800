from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rights", "0006_request_turn"),
    ]

    operations = [
        migrations.AlterField(
            model_name="step",
            name="reason",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
