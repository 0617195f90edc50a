"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("record", NUMBER, autoincrement=True, nullable=False),
        sa.Column("contact", sa.String(length=64), nullable=False),
        sa.Column("customer", sa.String(length=64), nullable=True),
        sa.Column("claim", sa.String(length=64), nullable=True),
        sa.Column("sent_by", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("record"),
        sqlite_autoincrement=True,
    )
    op.create_index("cases_by_age", "cases", ["received_at"], unique=False)
    op.create_index("cases_by_contact", "cases", ["contact"], unique=False)
    op.create_index("cases_by_customer", "cases", ["customer", "contacted_at"], unique=False)
    op.create_index("cases_by_time", "cases", ["contacted_at"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("claim", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("claim"),
    )
    op.create_index("idempotency_by_age", "idempotency", ["started_at"], unique=False)
    op.create_table(
        "keys",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table("secret", sa.Column("hash", sa.String(length=64), nullable=False), sa.PrimaryKeyConstraint("hash"))
    op.create_table(
        "feedback",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("record", NUMBER, nullable=False),
        sa.Column("given_by", sa.String(length=40), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["cases.record"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("feedback_by_record", "feedback", ["record"], unique=False)
    op.create_table(
        "results",
        sa.Column("record", NUMBER, nullable=False),
        sa.Column("tier", sa.String(length=64), nullable=True),
        sa.Column("type", sa.String(length=64), nullable=True),
        sa.Column("contact_class", sa.String(length=64), nullable=True),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["cases.record"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record"),
    )


def downgrade() -> None:
    op.drop_table("results")
    op.drop_table("feedback")
    op.drop_table("secret")
    op.drop_table("keys")
    op.drop_table("idempotency")
    op.drop_table("cases")
