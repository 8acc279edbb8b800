from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_approval"),
    ]

    operations = [
        migrations.AlterField(model_name="blindindex", name="hash", field=models.CharField(max_length=64)),
        migrations.AddIndex(
            model_name="blindindex",
            index=models.Index(fields=["hash", "person"], name="core_blindindex_found"),
        ),
    ]
