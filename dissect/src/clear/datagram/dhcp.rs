//! DHCP (RFC 2131, RFC 2132): the names that hosts give themselves.

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::Name;
use crate::clear::shelf::Shelf;

/// RFC 2131 section 3.
const MAGIC: &[u8] = &[99, 130, 83, 99];
const MAGIC_AT: usize = 236;
const HOST_NAME: u8 = 12;
const DOMAIN_NAME: u8 = 15;
const VENDOR_CLASS: u8 = 60;
const FULL_NAME: u8 = 81;

/// Puts what a message tells on the shelf; `false` when it is none.
pub(super) fn put(datagram: &[u8], shelf: &mut Shelf) -> bool {
    let Some(rest) = datagram.get(MAGIC_AT..).and_then(|rest| rest.strip_prefix(MAGIC)) else { return false };
    shelf.protocol = Protocol::Dhcp;
    shelf.readable();
    let mut rest = rest;
    while let Some((&code, behind)) = rest.split_first() {
        if code == 0 {
            rest = behind;
            continue;
        }
        let Some((&length, behind)) = behind.split_first() else { break };
        let Some((value, behind)) = behind.split_at_checked(usize::from(length)) else { break };
        match code {
            HOST_NAME | DOMAIN_NAME => shelf.secret(Name, value),
            // RFC 4702: flags and two codes come first.
            FULL_NAME => shelf.secret(Name, value.get(3..).unwrap_or_default()),
            VENDOR_CLASS => shelf.show("vendor class", value),
            _ => {}
        }
        rest = behind;
    }
    true
}
