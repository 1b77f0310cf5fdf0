"""What the search for products stands on: accents off, and likeness of words."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_initial")]

    operations = [UnaccentExtension(), TrigramExtension()]
