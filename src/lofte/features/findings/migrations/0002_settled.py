from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("findings", "0001_initial")]

    operations = [
        migrations.AddField("finding", "settled_at", models.DateTimeField(null=True)),
        migrations.AddField("finding", "settled_as", models.CharField(blank=True, max_length=16)),
    ]
