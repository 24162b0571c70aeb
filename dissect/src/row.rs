//! A packet as the judging walk hands it out: with all that is known of it by then.

use crate::open::OpenedDatagram;
use crate::packet::Packet;
use crate::session::{Member, Session};

/// One packet, judged.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The packet, its fields refined as far as they are known. Of one that completed others, protocol, ends,
    /// message and line are those of what was put together, and [`Packet::parts`] tells from what.
    pub packet: &'a Packet,
    /// Its captured bytes.
    pub data: &'a [u8],
    /// Its place in a Sealgram session.
    pub member: Option<Member>,
    /// That session, as far as it has come.
    pub session: Option<&'a Session>,
    /// What the key log opened of it.
    pub opened: Option<&'a OpenedDatagram>,
}
