"""Runs the migrations on the connection that `cnncore.runs.migrate` hands over."""

from alembic import context

from cnncore.runs.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
