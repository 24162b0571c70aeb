# Mutation: the login does not cover the session's exporter.
s/HASH(nm, nh), m_exp)/HASH(nm, nh), nil)/
s/HASH(nm, nh), h_exp)/HASH(nm, nh), nil)/
