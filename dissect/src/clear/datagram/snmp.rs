//! SNMP v1 and v2c (RFC 1157, RFC 3416): the community is a password that everybody sees.

use crate::clear::der;
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Community, User};
use crate::clear::shelf::Shelf;

/// Puts what a message tells on the shelf; `false` when it is none.
pub(super) fn put(datagram: &[u8], shelf: &mut Shelf) -> bool {
    let mut bytes = datagram;
    let Some(message) = der::next(&mut bytes).filter(|message| message.tag == 0x30 && bytes.is_empty())
    else {
        return false;
    };
    let mut parts = der::elements(message.value);
    let (Some(version), Some(second), Some(third)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let known = match (version.tag, version.value, second.tag, third.tag) {
        (2, [0 | 1], 4, 0xa0..=0xa8) => Some(second.value),
        // Version 3 (RFC 3414): the user's name is inside the security parameters; the data may be sealed.
        (2, [3], 0x30, 4) => None,
        _ => return false,
    };
    shelf.protocol = Protocol::Snmp;
    shelf.readable();
    match known {
        Some(community) => shelf.secret(Community, community),
        None => {
            let user = der::elements(third.value).next().and_then(|list| der::elements(list.value).nth(3));
            shelf.secret(User, user.map_or(&[][..], |user| user.value));
        }
    }
    true
}
