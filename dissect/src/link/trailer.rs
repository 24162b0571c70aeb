//! What stands behind the packet: padding, and a frame check sequence where it proves to be one.

use flate2::Crc;

use crate::bytes::array;
use crate::dissection::Dissection;
use crate::tree::{Class, Field};

const FCS_LEN: usize = 4;

/// Accounts for the bytes of `data` no header claimed. The last four of an Ethernet or 802.11 frame are a field of
/// their own when they are its CRC-32 (IEEE 802.3, section 3.2.9): then they can hide nothing, whether the file
/// declares them or not.
pub(super) fn close(packet: &mut Dissection, data: &[u8]) {
    let intact = !packet.anomalies.iter().any(|anomaly| anomaly.unparsed);
    let rest = data.len().saturating_sub(packet.tree.len());
    let name = if intact && rest >= FCS_LEN { check_sequence(packet, data) } else { None };
    if let Some(name) = name {
        packet.close(data.len() - FCS_LEN);
        packet.tree.push(name, Class::L2, FCS_LEN);
    }
    packet.close(data.len());
}

/// The name of the last four bytes, if they are the sum of the frame before them.
fn check_sequence(packet: &Dissection, data: &[u8]) -> Option<&'static str> {
    let name_of = |field: &Field| match field.name {
        "eth.dst" => Some(("eth.fcs", field.start)),
        "wlan.fc" => Some(("wlan.fcs", field.start)),
        _ => None,
    };
    let (name, start) = packet.tree.fields().iter().find_map(name_of)?;
    let at = data.len().checked_sub(FCS_LEN)?;
    let check = array::<FCS_LEN>(data, at)?;
    // Padding of zeros is the usual case, and costs no sum.
    (check != [0; FCS_LEN] && crc32(data.get(start..at)?) == u32::from_le_bytes(check)).then_some(name)
}

fn crc32(frame: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(frame);
    crc.sum()
}
