//! Packet numbers: cut to the bytes they need, completed on arrival (RFC 9000 appendices A.2 and A.3).

/// The largest packet number, 2^62 - 1.
pub const PACKET_NUMBER_MAX: u64 = (1 << 62) - 1;

/// How many bytes, 1 to 4, `number` needs on the wire when `largest_acked` is the highest number the peer has
/// acknowledged.
///
/// More than twice the distance must fit, so that the peer's window around what it expects names one number.
#[must_use]
pub fn encoded_len(number: u64, largest_acked: Option<u64>) -> usize {
    //= spec/PROTOCOL.md#short-datagrams
    //# The number is cut to the bytes it needs by RFC 9000 appendix A.2 and completed by its appendix A.3.
    let unacked = largest_acked.map_or(number.saturating_add(1), |largest| number.saturating_sub(largest));
    match unacked {
        0..=0x80 => 1,
        0x81..=0x8000 => 2,
        0x8001..=0x80_0000 => 3,
        _ => 4,
    }
}

/// The full number behind the `len` low bytes `truncated`, given the `largest` number opened so far.
#[must_use]
pub fn complete(largest: Option<u64>, truncated: u64, len: usize) -> u64 {
    let expected = largest.map_or(0, |largest| largest.saturating_add(1));
    let window = 1u64 << (8 * len.clamp(1, 4));
    let half = window / 2;
    let candidate = (expected & !(window - 1)) | (truncated & (window - 1));
    let nearest = if candidate.saturating_add(half) <= expected && candidate < PACKET_NUMBER_MAX - window {
        candidate + window
    } else if candidate > expected.saturating_add(half) && candidate >= window {
        candidate - window
    } else {
        candidate
    };
    nearest.min(PACKET_NUMBER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_9000() {
        assert_eq!(encoded_len(0xac_5c02, Some(0xab_e8b3)), 2);
        assert_eq!(encoded_len(0xac_e8fe, Some(0xab_e8b3)), 3);
        assert_eq!(complete(Some(0xa82f_30ea), 0x9b32, 2), 0xa82f_9b32);
    }

    #[test]
    fn the_first_numbers() {
        for (number, acked, len) in [(0, None, 1), (127, None, 1), (128, None, 2), (128, Some(0), 1)] {
            assert_eq!(encoded_len(number, acked), len, "{number} {acked:?}");
        }
        assert_eq!(complete(None, 0, 1), 0);
        assert_eq!(complete(None, 0x7f, 1), 0x7f);
    }

    proptest::proptest! {
        /// Whatever arrives out of order within the unacknowledged stretch is completed to itself.
        #[test]
        fn completing_undoes_cutting(acked in 0u64..1 << 40, ahead in 1u64..1 << 24, seen in 0u64..1 << 24) {
            let number = acked + ahead;
            let len = encoded_len(number, Some(acked));
            let largest = acked + seen % ahead;
            let truncated = number & ((1u64 << (8 * len)) - 1);
            proptest::prop_assert_eq!(complete(Some(largest), truncated, len), number);
        }

        #[test]
        fn any_input_gives_a_packet_number(largest: Option<u64>, truncated: u64, len in 0usize..9) {
            let largest = largest.map(|n| n & PACKET_NUMBER_MAX);
            proptest::prop_assert!(complete(largest, truncated, len) <= PACKET_NUMBER_MAX);
        }
    }
}
