import django.db.models.deletion
from django.db import migrations, models

# What Django called the index of the foreign key; another of each table begins with the person too.
_DOUBLED = {
    "relation": "register_relation_person_id_41af8941",
    "holding": "register_holding_person_id_8ad0ecd0",
    "signal": "register_signal_person_id_03426bd8",
    "look": "register_look_person_id_fc4c5f38",
    "placement": "register_placement_person_id_1f954ee1",
    "dialogue": "register_dialogue_person_id_f229f2ae",
}


def _without_index() -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="core.person"
    )


class Migration(migrations.Migration):
    dependencies = [("register", "0008_signal_source")]

    # By name, because altering the field would write a table of millions anew.
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"DROP INDEX IF EXISTS {index}", migrations.RunSQL.noop)
                for index in _DOUBLED.values()
            ],
            state_operations=[
                migrations.AlterField(model_name=table, name="person", field=_without_index()) for table in _DOUBLED
            ],
        )
    ]
