//! IEEE 802.11: data frames down to the packet inside; frames that manage, control or are encrypted are named.

use super::llc;
use crate::bytes::array;
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::tree::Class;

/// What the two bytes of frame control say (IEEE 802.11-2020, section 9.2.4.1).
#[derive(Clone, Copy)]
struct Control(u16);

impl Control {
    const SUBTYPE_QOS: u16 = 0x0080;
    const SUBTYPE_NULL: u16 = 0x0040;
    const TO_DISTRIBUTION: u16 = 0x0100;
    const FROM_DISTRIBUTION: u16 = 0x0200;
    const MORE_FRAGMENTS: u16 = 0x0400;
    const PROTECTED: u16 = 0x4000;
    const ORDER: u16 = 0x8000;

    const fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    const fn is_management(self) -> bool {
        self.0 & 0x000f == 0
    }

    const fn is_data(self) -> bool {
        self.0 & 0x000f == 0x0008
    }

    /// What the three addresses are depends on who relays the frame (IEEE 802.11-2020, table 9-30).
    const fn layout(self) -> &'static Layout<24> {
        match (self.has(Self::TO_DISTRIBUTION), self.has(Self::FROM_DISTRIBUTION)) {
            (false, false) => &DIRECT,
            (true, false) => &TO_ACCESS_POINT,
            (false, true) => &FROM_ACCESS_POINT,
            (true, true) => &RELAYED,
        }
    }
}

const fn header(fields: &'static [(&'static str, usize)]) -> Layout<24> {
    Layout::new("802.11", "link.short", Class::L2, fields)
}

const DIRECT: Layout<24> = header(&[
    ("wlan.fc", 2),
    ("wlan.duration", 2),
    ("wlan.da", 6),
    ("wlan.sa", 6),
    ("wlan.bssid", 6),
    ("wlan.seq", 2),
]);
const TO_ACCESS_POINT: Layout<24> = header(&[
    ("wlan.fc", 2),
    ("wlan.duration", 2),
    ("wlan.bssid", 6),
    ("wlan.sa", 6),
    ("wlan.da", 6),
    ("wlan.seq", 2),
]);
const FROM_ACCESS_POINT: Layout<24> = header(&[
    ("wlan.fc", 2),
    ("wlan.duration", 2),
    ("wlan.da", 6),
    ("wlan.bssid", 6),
    ("wlan.sa", 6),
    ("wlan.seq", 2),
]);
const RELAYED: Layout<24> = header(&[
    ("wlan.fc", 2),
    ("wlan.duration", 2),
    ("wlan.ra", 6),
    ("wlan.ta", 6),
    ("wlan.da", 6),
    ("wlan.seq", 2),
]);
const FOURTH_ADDRESS: Layout<6> = Layout::new("802.11", "link.short", Class::L2, &[("wlan.sa", 6)]);
const QOS: Layout<2> = Layout::new("802.11 QoS", "link.short", Class::L2, &[("wlan.qos", 2)]);
const HIGH_THROUGHPUT: Layout<4> = Layout::new("802.11 HT", "link.short", Class::L2, &[("wlan.htc", 4)]);
const VECTOR: Layout<4> = Layout::new("WEP", "link.short", Class::L2, &[("wlan.wep.iv", 4)]);
const EXTENDED_VECTOR: Layout<8> = Layout::new("CCMP", "link.short", Class::L2, &[("wlan.ccmp.extiv", 8)]);
const SUBFRAME: Layout<14> = Layout::new(
    "A-MSDU",
    "link.short",
    Class::L2,
    &[("wlan.da", 6), ("wlan.sa", 6), ("wlan_aggregate.a_mdsu.length", 2)],
);

/// The bit of QoS control that says that several packets are in the frame.
const QOS_AGGREGATE: u8 = 0x80;
/// The bit of the fourth byte of an initialisation vector that says that four more follow.
const VECTOR_IS_EXTENDED: u8 = 0x20;

/// An 802.11 frame up to the end of `body`; with `padded`, its header is filled up to a multiple of four bytes, as
/// some radios do.
pub(super) fn frame(packet: &mut Dissection, body: &[u8], padded: bool) {
    let start = packet.tree.len();
    let control = Control(array::<2>(body, start).map_or(0, u16::from_le_bytes));
    if !control.is_data() && start + 2 <= body.len() {
        without_packet(packet, body, control);
        return;
    }
    let Some(aggregate) = data_header(packet, body, control) else { return };
    if padded {
        pad(packet, body, start, "wlan.padding");
    }
    let fragment = array::<2>(body, start + 22).is_some_and(|sequence| sequence[0] & 0x0f != 0);
    if control.has(Control::SUBTYPE_NULL) {
        packet.protocol = Protocol::Wlan;
    } else if control.has(Control::PROTECTED) {
        protected(packet, body);
    } else if fragment || control.has(Control::MORE_FRAGMENTS) {
        packet.unparsed("wlan.fragment", "a fragment of an 802.11 frame: these are not put together");
        packet.cut = true;
        packet.carries(Protocol::Wlan, body);
    } else if aggregate {
        subframes(packet, body);
    } else {
        llc::dissect(packet, body);
    }
}

/// A frame with which radios manage or control each other.
fn without_packet(packet: &mut Dissection, body: &[u8], control: Control) {
    if control.is_management() && DIRECT.peek(packet, body).is_some() {
        let _header = DIRECT.read(packet, body);
    } else {
        packet.tree.push("wlan.fc", Class::L2, 2);
    }
    packet.foreign(Protocol::Wlan, body.len());
}

/// Reads the header of a data frame; whether several packets follow it.
fn data_header(packet: &mut Dissection, body: &[u8], control: Control) -> Option<bool> {
    control.layout().read(packet, body)?;
    if control.has(Control::TO_DISTRIBUTION | Control::FROM_DISTRIBUTION) {
        FOURTH_ADDRESS.read(packet, body)?;
    }
    if !control.has(Control::SUBTYPE_QOS) {
        return Some(false);
    }
    let [qos, _] = QOS.read(packet, body)?;
    if control.has(Control::ORDER) {
        HIGH_THROUGHPUT.read(packet, body)?;
    }
    Some(qos & QOS_AGGREGATE != 0)
}

/// What only the two radios can read: behind the vector it is somebody's ciphertext.
fn protected(packet: &mut Dissection, body: &[u8]) {
    let extended = VECTOR.peek(packet, body).is_some_and(|vector| vector[3] & VECTOR_IS_EXTENDED != 0);
    let is_whole = if extended {
        EXTENDED_VECTOR.read(packet, body).is_some()
    } else {
        VECTOR.read(packet, body).is_some()
    };
    if is_whole {
        packet.note("wlan.protected", "an 802.11 frame that the radios encrypt");
        packet.carries(Protocol::Wlan, body);
    }
}

/// Several packets in one frame (IEEE 802.11-2020, section 9.3.2.2). The dissection is that of the first; what the
/// others carry cannot be judged beside it, and counts as not understood.
fn subframes(packet: &mut Dissection, body: &[u8]) {
    subframe(packet, body);
    if packet.tree.len() < body.len() {
        packet.note("wlan.aggregate", "several packets in one 802.11 frame: the first one is judged");
    }
    while packet.tree.len() < body.len() {
        packet.beside(|packet| {
            packet.cut = true;
            subframe(packet, body);
        });
    }
}

fn subframe(packet: &mut Dissection, body: &[u8]) {
    let start = packet.tree.len();
    let Some(header) = SUBFRAME.read(packet, body) else {
        packet.close(body.len());
        return;
    };
    let end = packet.tree.len() + usize::from(u16::from_be_bytes([header[12], header[13]]));
    let inner = packet.claim(body, end, "wlan.length");
    llc::dissect(packet, inner);
    packet.close(inner.len());
    pad(packet, body, start, "wlan_aggregate.a_mdsu.padding");
}

/// Takes up to three bytes that fill what began at `start` up to a multiple of four.
fn pad(packet: &mut Dissection, body: &[u8], start: usize, name: &'static str) {
    let end = start + (packet.tree.len() - start).next_multiple_of(4);
    let padding = end.min(body.len()).saturating_sub(packet.tree.len());
    packet.tree.push(name, Class::L2Trailer, padding);
}
