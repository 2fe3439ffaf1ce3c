from django.db import migrations

from readerstudy.audit.guards import frozen_when


class Migration(migrations.Migration):
    dependencies = [("results", "0001_initial")]
    operations = [
        frozen_when("results_analysisrun", "OLD.phase = 'done'", "The results of a finished run are never changed.")
    ]
