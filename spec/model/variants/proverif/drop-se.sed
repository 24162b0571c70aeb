# Mutation: message 3 no longer mixes se, the DH of the client's static key
# and the hub's ephemeral one.
s/let se = dh(skc, F) in/let se = ZERO in/
s/let se = dh(f, pkc) in/let se = ZERO in/
