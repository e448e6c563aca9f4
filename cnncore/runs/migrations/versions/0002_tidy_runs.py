"""Runs can be deleted for a day, and are found by network and data set."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and fill them from the configurations."""
    for name, kind in (("model", sa.String(100)), ("dataset", sa.String(100)), ("deleted", sa.Float)):
        op.add_column("runs", sa.Column(name, kind))
    runs = sa.table("runs", *(sa.column(name) for name in ("id", "config", "model", "dataset")))
    db = op.get_bind()
    for run_id, text in db.execute(sa.select(runs.c.id, runs.c.config)).all():
        config = json.loads(text)
        model, data = config.get("model") or {}, config.get("data") or {}
        values = {"model": model.get("name"), "dataset": data.get("dataset")}
        db.execute(sa.update(runs).where(runs.c.id == run_id).values(**values))


def downgrade() -> None:
    """Drop the columns."""
    for name in ("deleted", "dataset", "model"):
        op.drop_column("runs", name)
