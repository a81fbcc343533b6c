from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    """The table of the shared cache, which counts failed log-ins."""
    call_command('createcachetable', database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):

    dependencies = [
        ('annotate', '0003_membership'),
    ]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
