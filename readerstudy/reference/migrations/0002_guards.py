from django.db import migrations

from readerstudy.audit.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("reference", "0001_initial")]
    operations = [append_only("reference_standard"), append_only("reference_truth"), append_only("reference_opinion")]
