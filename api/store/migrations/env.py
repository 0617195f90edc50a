"""Called by Alembic. The connection, with its transaction and its lock, comes from `api.store.schema`."""

from alembic import context

from api.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
