# Trust on first use: the hub's key is taken from the network.
s/^Hub -> Client: \[ghs\]$/Hub -> Client: ghs/
