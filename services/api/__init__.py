"""What supervisors and dashboards read over HTTP."""
