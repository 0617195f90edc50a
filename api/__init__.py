"""The HTTP service: `create_app(triager, settings)` and `triage serve`."""
