from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_mail_lease"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="mail",
            name="core_mail_next",
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(fields=["state", "is_marketing", "next_at"], name="core_mail_due"),
        ),
    ]
