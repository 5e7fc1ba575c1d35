"""Alembic's environment: app.base.migrate hands in a connection; offline SQL is for the linter."""

from alembic import context

from app.schema import metadata

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql", target_metadata=metadata, literal_binds=True, transaction_per_migration=True
    )
    context.execute("SET lock_timeout = '3s'")
    context.execute("SET statement_timeout = '60s'")
else:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection, target_metadata=metadata, compare_type=True, transaction_per_migration=True
    )
with context.begin_transaction():
    context.run_migrations()
