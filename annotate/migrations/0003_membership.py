import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def staff_own_what_is_there(apps, schema_editor):
    """Until now every staff account could do everything in every study. (Superusers still can.)"""
    users = apps.get_model(*settings.AUTH_USER_MODEL.split('.')).objects.filter(is_staff=True, is_superuser=False)
    studies = apps.get_model('annotate', 'Study').objects.values_list('pk', flat=True)
    Membership = apps.get_model('annotate', 'Membership')
    Membership.objects.bulk_create(
        [Membership(user_id=user, study_id=study, role='owner')
         for study in studies for user in users.values_list('pk', flat=True)],
        batch_size=500,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('annotate', '0002_journey'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('auditor', 'Auditor'), ('researcher', 'Researcher'), ('owner', 'Owner')], max_length=10)),
                ('since', models.DateTimeField(auto_now_add=True)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='annotate.study')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('study', 'user'), name='member_once_a_study'), models.CheckConstraint(condition=models.Q(('role__in', ['auditor', 'researcher', 'owner'])), name='member_role_known')],
            },
        ),
        migrations.RunPython(staff_own_what_is_there, migrations.RunPython.noop),
    ]
