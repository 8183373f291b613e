"""The shells of the federation: HTTPS server and client, discovery on the local network."""
