"""Alembic's environment: app.base.migrate hands in a connection; offline SQL is for the linter."""

from alembic import context

from app.schema import metadata

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.execute("SET lock_timeout = '3s'")
        context.execute("SET statement_timeout = '60s'")
        context.run_migrations()
else:
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
