"""Logs: what was recorded of a running system, in our own format or mapped from another one."""
