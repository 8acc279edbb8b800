from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("register", "0006_attachment_judged"),
    ]

    operations = [
        migrations.AddField(model_name="listinhand", name="judged", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(model_name="listinhand", name="told", field=models.BinaryField(null=True)),
        migrations.AlterField(
            model_name="listinhand",
            name="state",
            field=models.CharField(
                choices=[
                    ("judging", "Judging"),
                    ("judged", "Judged"),
                    ("ordered", "Ordered"),
                    ("done", "Done"),
                    ("stopped", "Stopped"),
                ],
                default="judged",
                max_length=8,
            ),
        ),
    ]
