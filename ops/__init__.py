"""Programs that run beside BreadMate: never imported by its applications."""
