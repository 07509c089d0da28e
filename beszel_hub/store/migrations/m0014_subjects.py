"""What a channel says in the subjects of its messages."""

from typing import Final

STATEMENTS: Final = ("ALTER TABLE notification_channels ADD COLUMN subject_template TEXT NOT NULL DEFAULT ''",)
