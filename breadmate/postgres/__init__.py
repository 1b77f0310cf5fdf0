"""The database backend: Django's own for Postgres, for a database that may fall silent."""
