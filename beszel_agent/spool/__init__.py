"""What the hub has not stored yet: records in the order of their sequence, bounded in time and in bytes."""
