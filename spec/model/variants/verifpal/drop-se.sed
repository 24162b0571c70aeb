# Mutation: message 3 no longer mixes se, the DH of the client's static key
# and the hub's ephemeral one.
s/DH_KEX(ghe, cs)/nil/
s/DH_KEX(gcs, he)/nil/
