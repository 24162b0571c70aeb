//! The fingerprint of a hub: its key as 12 words a person can compare.

use crate::crypto::sha256;
use crate::limits::KEY_BYTES;
use alloc::string::String;
use alloc::vec::Vec;

/// Words of a fingerprint: 12 of 2048, 132 bits.
pub const WORDS: usize = 12;

const BITS_PER_WORD: usize = 11;

/// The BIP 39 English list: 2048 words, one a line.
const LIST: &str = include_str!("words.txt");

/// The 12 words of a hub key (PROTOCOL.md, Invites), with spaces between.
#[must_use]
pub fn words(hub_key: &[u8; KEY_BYTES]) -> String {
    let list: Vec<&str> = LIST.lines().collect();
    let digest = sha256(&[b"sgm1 fp", hub_key]);
    let words = (0..WORDS).map(|word| list[bits(&digest, word * BITS_PER_WORD)]);
    words.collect::<Vec<_>>().join(" ")
}

/// The words of a number of `bits` bits, 11 bits a word, high bits first.
pub(crate) fn number_words(number: u64, bits: u32) -> String {
    let list: Vec<&str> = LIST.lines().collect();
    let words = (1..=bits / 11).map(|word| {
        let index = number >> (bits - 11 * word) & 0x7ff;
        usize::try_from(index).ok().and_then(|index| list.get(index)).copied().unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The number that so many words name. No two words of the list begin with the same four letters.
pub(crate) fn number(text: &str, bits: u32) -> Option<u64> {
    let beginning = |word: &str| word.chars().take(4).flat_map(char::to_lowercase).collect::<String>();
    let mut number = 0;
    let mut read = 0;
    for word in text.split(|c: char| c == '-' || c.is_whitespace()).filter(|word| !word.is_empty()) {
        let index = (0..).zip(LIST.lines()).find(|(_, known)| beginning(known) == beginning(word))?.0;
        read += 11;
        number = number << 11 | index;
        if read > bits {
            return None;
        }
    }
    (read == bits).then_some(number)
}

/// The 11 bits of `digest` from bit `start`, high bits first.
fn bits(digest: &[u8; 32], start: usize) -> usize {
    (start..start + BITS_PER_WORD)
        .fold(0, |value, bit| value << 1 | usize::from(digest[bit / 8] >> (7 - bit % 8) & 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_words_of_the_list() {
        assert_eq!(LIST.lines().count(), 2048);
        assert_eq!(words(&[0; 32]).split(' ').count(), WORDS);
        assert_ne!(words(&[0; 32]), words(&[1; 32]));
        let mut digest = [0; 32];
        digest[1] = 0b0010_0000;
        digest[2] = 0b0000_0001;
        assert_eq!((bits(&digest, 0), bits(&digest, 11), bits(&digest, 13)), (1, 0, 1));
    }
}
