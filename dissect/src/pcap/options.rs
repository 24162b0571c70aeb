//! The list of options that ends a pcapng block.

use crate::bytes::Endian;

/// The options of a block as (code, value without padding). A malformed one hides those behind it, which is an
/// error of its own.
pub(super) struct Options<'a> {
    endian: Endian,
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    pub(super) const fn new(endian: Endian, rest: &'a [u8]) -> Self {
        Self { endian, rest }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<(u16, &'a [u8]), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        const END: u16 = 0;
        if self.rest.is_empty() {
            return None;
        }
        let head = self.endian.u16(self.rest, 0).zip(self.endian.u16(self.rest, 2));
        let option = head.and_then(|(code, len)| Some((code, self.rest.get(4..4 + usize::from(len))?)));
        let Some((code, value)) = option else {
            self.rest = &[];
            return Some(Err("a block with options that cannot be read"));
        };
        if code == END {
            self.rest = &[];
            return None;
        }
        self.rest = self.rest.get(4 + value.len().next_multiple_of(4)..).unwrap_or_default();
        Some(Ok((code, value)))
    }
}
