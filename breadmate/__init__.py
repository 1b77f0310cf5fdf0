"""The project: settings, URLs, processes, and the tables that tie the apps together."""
