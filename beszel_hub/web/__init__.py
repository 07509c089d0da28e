"""The minimal web view: one page that logs in and follows the fleet, by the same API as every other client."""
