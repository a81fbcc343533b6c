import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.config.settings")
application = get_wsgi_application()
# What the start has loaded stays: nothing is gained by looking through it again and again.
gc.freeze()
