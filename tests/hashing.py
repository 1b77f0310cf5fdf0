"""The product's way to hash passwords, at the least cost it allows: nobody attacks a test's database."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickHasher(Argon2PasswordHasher):
    """Argon2 without what makes a guess dear, which would make every test with a login dear as well."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
