#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what it can do."""

import os
import sys

from django.core.management import execute_from_command_line

from crm.changes import Origin, originating

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    # The trail names the command. Its name only: what follows may be a password.
    with originating(Origin(user_agent=" ".join(["manage.py", *sys.argv[1:2]]))):
        execute_from_command_line(sys.argv)
