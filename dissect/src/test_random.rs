//! Random bytes for tests: the same for the same seed, on every machine.

/// `len` bytes of SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) fn random_bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0xd134_2543_de82_ef95);
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    let mut bytes = Vec::new();
    while bytes.len() < len {
        bytes.extend(next().to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
