# What if: a KEM whose secret does not depend on the key it is made for, so
# that whoever opens one ciphertext can send the same secret to another key.
# (The hub's randomness is made after its input here: made before, ProVerif
# confuses its sessions and proves nothing.)
s/kemdec(dk, kemct(kempk(dk), r)) = kemss(kempk(dk), r)/kemdec(dk, kemct(kempk(dk), r)) = r/
s/kempsk(kemss(ek, r), ct)/kempsk(r, ct)/
s/^not attacker(new r) phase 1\.$//
s/new f: scalar; new r: bitstring;/new f: scalar;/
s/let ct = kemct(ek, r) in/new r: bitstring; let ct = kemct(ek, r) in/
