# An --open hub: the access secret is all zeros, hence public.
s/knows private access$/knows public access/
