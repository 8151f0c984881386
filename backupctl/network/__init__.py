"""HTTP over real sockets, to appliances and to backup servers."""
