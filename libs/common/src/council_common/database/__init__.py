"""PostgreSQL: sessions, the platform's own tables, migrations, history of changes."""
