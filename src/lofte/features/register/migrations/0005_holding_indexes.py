from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("register", "0004_attachments_duplicates_and_lists"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="holding", name="register_holding_person"),
        migrations.RemoveIndex(model_name="holding", name="register_holding_due"),
        migrations.AddIndex(
            model_name="holding",
            index=models.Index(fields=["person", "purpose", "due_at"], name="register_holding_of"),
        ),
        migrations.AddIndex(
            model_name="holding",
            index=models.Index(fields=["due_at", "person", "clock"], name="register_holding_struck"),
        ),
    ]
