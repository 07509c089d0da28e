"""Packages of the distribution that wait to be updated, from the files that its package manager keeps."""
