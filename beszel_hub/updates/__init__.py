"""Whether there is a newer version; asked only of hubs that are told to look."""
