"""The tables of the run store (SQLAlchemy Core); `migrations/` creates and changes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class _Words(TypeDecorator[str]):
    """Text that may come from outside; what a database refuses to store is replaced: NUL and halves of characters."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:
        return None if value is None else value.replace("\0", "\ufffd").encode(errors="replace").decode()


metadata = MetaData()

# SQLite counts a primary key by itself only if its type is exactly INTEGER.
_Counter = BigInteger().with_variant(Integer, "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("id", _Words(32), primary_key=True),
    Column("kind", _Words(32), nullable=False),
    Column("name", _Words(200), nullable=False),
    Column("owner", _Words(200), nullable=False),
    Column("tags", Text, nullable=False),
    Column("status", _Words(16), nullable=False, index=True),
    Column("wanted", _Words(16)),
    Column("wanted_at", Float),
    Column("config", Text, nullable=False),
    # JSON text, not a JSON column: PostgreSQL's refuses NaN, and a diverged run has NaN to show.
    Column("summary", Text, nullable=False),
    Column("error", _Words),
    Column("hint", _Words),
    Column("created", Float, nullable=False),
    Column("place", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("beat", Float),
    Column("host", _Words(200)),
    Column("pid", Integer),
    Column("pid_created", Float),
    Column("attempt", Integer, nullable=False),
    # Told again beside the configuration, so that lists can be filtered by them.
    Column("model", _Words(100)),
    Column("dataset", _Words(100)),
    Column("deleted", Float),
)

metrics = Table(
    "metrics",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("run_id", _Words(32), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("phase", _Words(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("time", Float, nullable=False),
    Column("values", Text, nullable=False),
    UniqueConstraint("run_id", "phase", "step"),
    Index("ix_metrics_run_seq", "run_id", "seq"),
    sqlite_autoincrement=True,
)

changes = Table(
    "changes",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("run_id", _Words(32), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("step", Integer),
    Column("setting", _Words(64), nullable=False),
    Column("value", Float, nullable=False),
    Column("asked", Float, nullable=False),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("run_id", _Words(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("path", _Words(500), primary_key=True),
    Column("num_bytes", BigInteger, nullable=False),
    Column("created", Float, nullable=False),
)
