from django.db import migrations

from readerstudy.audit.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("datasets", "0001_initial")]
    operations = [append_only("datasets_dataset")]
