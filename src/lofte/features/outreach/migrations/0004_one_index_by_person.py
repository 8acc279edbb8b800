from django.db import migrations

from lofte.core.indexes import drop_doubled


class Migration(migrations.Migration):
    dependencies = [("outreach", "0003_waits_and_versions")]
    operations = [drop_doubled({"delivery": "outreach_delivery_person_id_7552e71a"})]
