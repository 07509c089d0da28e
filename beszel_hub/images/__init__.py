"""Whether registries have newer images than containers run; asked only by hubs that are told to."""
