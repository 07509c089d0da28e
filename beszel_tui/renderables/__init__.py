"""Drawing as pure functions: values, a palette and a size in, segments out. Tested without an app."""
