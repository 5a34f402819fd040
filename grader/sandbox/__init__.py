"""The host side of the sandbox: container engine, hardening, relay."""
