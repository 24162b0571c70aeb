//! What stands behind the packet: padding, and a frame check sequence where it proves to be one.

use flate2::Crc;

use crate::bytes::array;
use crate::dissection::Dissection;
use crate::tree::Class;

const FCS_LEN: usize = 4;

/// Accounts for the bytes of `data` no header claimed. The last four of an Ethernet or 802.11 frame are a field of
/// their own when they are its CRC-32 (IEEE 802.3, section 3.2.9): then they can hide nothing, whether the file
/// declares them or not.
pub(super) fn close(packet: &mut Dissection, data: &[u8]) {
    let intact = !packet.anomalies.iter().any(|anomaly| anomaly.unparsed);
    let rest = data.len().saturating_sub(packet.tree.len());
    if intact && rest >= FCS_LEN && has_check_sequence(packet, data) {
        packet.close(data.len() - FCS_LEN);
        packet.tree.push("fcs", Class::L2, FCS_LEN);
    }
    packet.close(data.len());
}

fn has_check_sequence(packet: &Dissection, data: &[u8]) -> bool {
    let first = packet.tree.fields().iter().find(|field| matches!(field.name, "eth.dst" | "wlan.fc"));
    let at = data.len() - FCS_LEN;
    let (Some(first), Some(check)) = (first, array::<FCS_LEN>(data, at)) else { return false };
    let Some(frame) = data.get(first.start..at) else { return false };
    // Padding of zeros is the usual case, and costs no sum.
    check != [0; FCS_LEN] && crc32(frame) == u32::from_le_bytes(check)
}

fn crc32(frame: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(frame);
    crc.sum()
}
