"""Who changed what: a table that is only ever added to, read by administrators."""
