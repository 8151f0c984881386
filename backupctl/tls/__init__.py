"""TLS: trust settings, CA bundles and certificates as facts; nothing is sent from here."""
