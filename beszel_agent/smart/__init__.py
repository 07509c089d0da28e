"""What disks say of their own health, through smartctl."""
