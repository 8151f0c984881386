"""The appliance over HTTP: the only floor that knows methods, paths, headers and JSON bodies."""
