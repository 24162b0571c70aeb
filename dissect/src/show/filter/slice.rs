//! Parts of a field's bytes: `[offset:length]`, `[first-last]`, `[offset]`, from the end with a minus.

use std::ops::Range;

/// A part of a value's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// Offset of the first byte; below 0 it counts from the end.
    start: i64,
    extent: Extent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Length(u32),
    Last(i64),
    Rest,
}

impl Slice {
    /// Reads what stands between brackets or commas.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse::<i32>().ok().map(i64::from);
        if let Some((start, length)) = text.split_once(':') {
            let start = if start.is_empty() { 0 } else { number(start)? };
            let extent = match length {
                "" => Extent::Rest,
                length => Extent::Length(length.parse().ok().filter(|length| *length > 0)?),
            };
            return Some(Self { start, extent });
        }
        // A minus in front belongs to the number, one behind it joins first and last.
        let joint = text.char_indices().skip(1).find(|(_, character)| *character == '-');
        match joint {
            Some((at, _)) => {
                let (start, last) = (number(text.get(..at)?)?, number(text.get(at + 1..)?)?);
                Some(Self { start, extent: Extent::Last(last) })
            }
            None => Some(Self { start: number(text)?, extent: Extent::Length(1) }),
        }
    }

    /// The bytes it means among `len`; `None` when they are not all there.
    pub(super) fn range(&self, len: usize) -> Option<Range<usize>> {
        let total = i64::try_from(len).ok()?;
        let from_front = |offset: i64| if offset < 0 { total + offset } else { offset };
        let start = from_front(self.start);
        let end = match self.extent {
            Extent::Length(length) => start + i64::from(length),
            Extent::Last(last) => from_front(last) + 1,
            Extent::Rest => total,
        };
        let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        (range.start < range.end && range.end <= len).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_ten_bytes() {
        for (text, range) in [
            ("0", Some(0..1)),
            ("2:3", Some(2..5)),
            ("2-4", Some(2..5)),
            (":4", Some(0..4)),
            ("4:", Some(4..10)),
            ("-1", Some(9..10)),
            ("-4:2", Some(6..8)),
            ("-3--2", Some(7..9)),
            ("9:2", None),
            ("10", None),
            ("-11", None),
            ("5-4", None),
        ] {
            assert_eq!(Slice::parse(text).unwrap().range(10), range, "{text}");
        }
        for broken in ["", "a", "1:0", "1:-1", "--1", "99999999999", "1-"] {
            assert_eq!(Slice::parse(broken), None, "{broken}");
        }
    }
}
