from django.db import migrations

from lofte.core.indexes import drop_doubled


class Migration(migrations.Migration):
    dependencies = [("core", "0007_mail_due")]
    operations = [drop_doubled({"entry": "core_entry_person_id_d916a06d", "mail": "core_mail_person_id_203f009c"})]
