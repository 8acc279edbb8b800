from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("materials", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="grant",
            name="counted_at",
            field=models.DateTimeField(null=True),
        ),
    ]
