from django.db import migrations

from readerstudy.audit.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("allocation", "0001_initial")]
    operations = [append_only("allocation_allocation"), append_only("allocation_slot")]
