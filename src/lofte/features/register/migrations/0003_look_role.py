from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("register", "0002_places_dialogue_and_imports"),
    ]

    operations = [
        migrations.AddField(model_name="look", name="role", field=models.CharField(blank=True, max_length=32)),
    ]
