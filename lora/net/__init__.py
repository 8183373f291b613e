"""The shells of the network server: sockets and timers."""
