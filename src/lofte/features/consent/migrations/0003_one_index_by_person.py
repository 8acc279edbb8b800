from django.db import migrations

from lofte.core.indexes import drop_doubled


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_channel")]
    operations = [drop_doubled({"consent": "consent_consent_person_id_7faabceb"})]
