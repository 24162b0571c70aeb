//! Headers of a fixed length, told as data: which fields, of how many bytes.

use crate::bytes::array;
use crate::dissection::Dissection;
use crate::tree::Class;

/// A header of `N` bytes. Fields are named as tshark names them; where several share a byte, the field has the
/// name of the one that stands first, or of the one that matters.
pub(crate) struct Layout<const N: usize> {
    /// What a person calls it.
    title: &'static str,
    /// The rule that a packet breaks which ends inside it.
    rule: &'static str,
    class: Class,
    fields: &'static [(&'static str, usize)],
}

impl<const N: usize> Layout<N> {
    /// Describes a header; does not compile into a constant unless the fields fill it.
    pub(crate) const fn new(
        title: &'static str,
        rule: &'static str,
        class: Class,
        fields: &'static [(&'static str, usize)],
    ) -> Self {
        let (mut sum, mut index) = (0, 0);
        while index < fields.len() {
            sum += fields[index].1;
            index += 1;
        }
        assert!(sum == N, "the fields of a layout fill its header");
        Self { title, rule, class, fields }
    }

    /// Reads this header behind the last field and adds its fields; `None`, and the packet is given up, when
    /// `body` ends inside it.
    pub(crate) fn read(&self, packet: &mut Dissection, body: &[u8]) -> Option<[u8; N]> {
        let Some(header) = self.peek(packet, body) else {
            packet.unparsed(self.rule, format!("the packet ends inside its {} header", self.title));
            return None;
        };
        for (name, len) in self.fields {
            packet.tree.push(name, self.class, *len);
        }
        Some(header)
    }

    /// The bytes of this header behind the last field, when they are all there.
    pub(crate) fn peek(&self, packet: &Dissection, body: &[u8]) -> Option<[u8; N]> {
        array(body, packet.tree.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Layout<3> = Layout::new("pair", "pair.short", Class::L2, &[("pair.one", 1), ("pair.two", 2)]);

    #[test]
    fn a_header_becomes_its_fields_or_nothing() {
        let mut packet = Dissection::default();
        assert_eq!(PAIR.read(&mut packet, &[1, 2, 3, 4]), Some([1, 2, 3]));
        assert_eq!(packet.tree.range("pair.two"), Some(1..3));
        assert_eq!(PAIR.read(&mut packet, &[1, 2, 3, 4]), None);
        assert_eq!(packet.tree.len(), 3);
        assert_eq!(packet.anomalies[0].rule, "pair.short");
    }
}
