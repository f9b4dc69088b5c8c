"""How bytes travel: clients, connections, proxies, certificates and access tokens; never what a body means."""
