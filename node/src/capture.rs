//! Writing our own datagrams as a pcapng file, no privilege needed.
//!
//! Packets are raw IP (link type 101) with the UDP and IP headers that the kernel put around the payload, made
//! again from the addresses: sizes, ports, times and payloads are the real ones.

use crate::clock;
use crate::failure::{Context, Failure};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const LINKTYPE_RAW: u16 = 101;
const UDP: u8 = 17;
const UDP_HEADER_BYTES: usize = 8;

/// Which way a datagram went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It was received.
    In,
    /// It was sent.
    Out,
}

/// An open capture file.
#[derive(Debug)]
pub struct Capture {
    out: BufWriter<File>,
    /// Which of our addresses reaches a peer, when the socket is bound to all.
    local: BTreeMap<IpAddr, IpAddr>,
}

impl Capture {
    /// Opens `path`: a new file, or a further section behind what a capture already holds.
    ///
    /// # Errors
    /// When it cannot be opened, or holds something else.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(path).map_err(|error| {
            Failure::new(format!("cannot open the capture {shown}: {error}"))
                .advise("a file in a folder you may write to")
        })?;
        let end = whole_blocks(&mut file).context(format!("cannot read the capture {shown}"))?;
        let Some(end) = end else {
            return Err(Failure::new(format!("{shown} exists and is no pcapng file"))
                .advise("another file name; nothing was overwritten"));
        };
        file.set_len(end).context(format!("cannot write the capture {shown}"))?;
        file.seek(SeekFrom::End(0)).context(format!("cannot write the capture {shown}"))?;
        let mut capture = Self { out: BufWriter::new(file), local: BTreeMap::new() };
        capture.begin_section().context(format!("cannot write the capture {shown}"))?;
        Ok(capture)
    }

    fn begin_section(&mut self) -> std::io::Result<()> {
        let mut header = Vec::new();
        header.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        header.extend(1u16.to_le_bytes());
        header.extend(0u16.to_le_bytes());
        header.extend(u64::MAX.to_le_bytes());
        self.write_block(SECTION_HEADER, &header)?;
        let mut interface = Vec::new();
        interface.extend(LINKTYPE_RAW.to_le_bytes());
        interface.extend(0u16.to_le_bytes());
        interface.extend(0u32.to_le_bytes());
        // if_tsresol (9), one byte: nanoseconds; then opt_endofopt.
        interface.extend([9, 0, 1, 0, 9, 0, 0, 0]);
        interface.extend([0; 4]);
        self.write_block(INTERFACE_DESCRIPTION, &interface)?;
        self.out.flush()
    }

    fn write_block(&mut self, kind: u32, body: &[u8]) -> std::io::Result<()> {
        let padding = body.len().next_multiple_of(4) - body.len();
        let total = u32::try_from(12 + body.len() + padding).map_err(std::io::Error::other)?;
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&total.to_le_bytes())?;
        self.out.write_all(body)?;
        self.out.write_all(&[0; 4][..padding])?;
        self.out.write_all(&total.to_le_bytes())
    }

    /// Writes one datagram, now.
    ///
    /// # Errors
    /// When the file takes no more.
    pub fn write(
        &mut self,
        direction: Direction,
        local: SocketAddr,
        remote: SocketAddr,
        payload: &[u8],
    ) -> std::io::Result<()> {
        let local = SocketAddr::new(self.local_ip(local, remote), local.port());
        let (source, destination) = match direction {
            Direction::In => (remote, local),
            Direction::Out => (local, remote),
        };
        let packet = ip_packet(source, destination, payload);
        let nanos = clock::unix_nanos();
        let [high, low] = [(nanos >> 32) as u32, (nanos & 0xffff_ffff) as u32];
        let len = u32::try_from(packet.len()).map_err(std::io::Error::other)?;
        let mut block = Vec::with_capacity(packet.len() + 20);
        for field in [0, high, low, len, len] {
            block.extend(field.to_le_bytes());
        }
        block.extend_from_slice(&packet);
        self.write_block(ENHANCED_PACKET, &block)
    }

    /// Hands what was written to the operating system.
    ///
    /// # Errors
    /// When the file takes no more.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }

    fn local_ip(&mut self, local: SocketAddr, remote: SocketAddr) -> IpAddr {
        if !local.ip().is_unspecified() {
            return local.ip();
        }
        const KNOWN_MAX: usize = 4096;
        if self.local.len() > KNOWN_MAX {
            self.local.clear();
        }
        *self.local.entry(remote.ip()).or_insert_with(|| route_to(remote).unwrap_or(local.ip()))
    }
}

/// Our address on the way to `remote`: connecting a UDP socket asks the routing table and sends nothing.
#[must_use]
pub fn route_to(remote: SocketAddr) -> Option<IpAddr> {
    let any = if remote.is_ipv4() { SocketAddr::from(([0; 4], 0)) } else { SocketAddr::from(([0; 16], 0)) };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(remote).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Where the whole blocks of a pcapng file end; `None` when it is something else. What a killed process left of
/// its last block is cut off.
fn whole_blocks(file: &mut File) -> std::io::Result<Option<u64>> {
    let len = file.metadata()?.len();
    let mut at = 0;
    let mut head = [0; 8];
    while at + 12 <= len {
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head)?;
        let [a, b, c, d, e, f, g, h] = head;
        let is_ours = at > 0 || u32::from_le_bytes([a, b, c, d]) == SECTION_HEADER;
        let total = u64::from(u32::from_le_bytes([e, f, g, h]));
        if !is_ours || total < 12 || total % 4 != 0 {
            return Ok(None);
        }
        if at + total > len {
            break;
        }
        at += total;
    }
    Ok(if at == 0 && len > 0 { None } else { Some(at) })
}

/// The IP packet around a UDP payload.
fn ip_packet(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    match (source.ip(), destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let udp = udp_packet(source, destination, &[&from.octets()[..], &to.octets()].concat(), payload);
            [&ipv4_header(from, to, udp.len())[..], &udp].concat()
        }
        (from, to) => {
            let [from, to] = [from, to].map(|ip| match ip {
                IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
                IpAddr::V6(v6) => v6.octets(),
            });
            let addresses = [from, to].concat();
            let udp = udp_packet(source, destination, &addresses, payload);
            let len = u16::try_from(udp.len()).unwrap_or(u16::MAX).to_be_bytes();
            [&[0x60, 0, 0, 0, len[0], len[1], UDP, 64][..], &addresses, &udp].concat()
        }
    }
}

fn ipv4_header(from: Ipv4Addr, to: Ipv4Addr, payload_len: usize) -> [u8; 20] {
    let total = u16::try_from(20 + payload_len).unwrap_or(u16::MAX).to_be_bytes();
    let mut header = [0; 20];
    header[..10].copy_from_slice(&[0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, UDP]);
    header[12..16].copy_from_slice(&from.octets());
    header[16..].copy_from_slice(&to.octets());
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

fn udp_packet(source: SocketAddr, destination: SocketAddr, addresses: &[u8], payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(UDP_HEADER_BYTES + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = Vec::with_capacity(UDP_HEADER_BYTES + payload.len());
    packet.extend(source.port().to_be_bytes());
    packet.extend(destination.port().to_be_bytes());
    packet.extend(len);
    packet.extend([0; 2]);
    packet.extend_from_slice(payload);
    // RFC 768: a sum of zero is sent as all ones.
    let sum = match checksum(&[addresses, &[0, UDP], &len, &packet]) {
        0 => 0xffff,
        sum => sum,
    };
    packet[6..8].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The Internet checksum (RFC 1071) of parts of even length but the last.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u64 =
        words.map(|word| u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0))).sum();
    let folded = (0..4).fold(sum, |sum, _| (sum & 0xffff) + (sum >> 16));
    !u16::try_from(folded).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_rfc_1071() {
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
    }

    #[test]
    fn a_capture_grows_by_sections_and_loses_only_a_cut_block() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        let (local, remote) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        let mut capture = Capture::open(&path).unwrap();
        capture.write(Direction::Out, local, remote, b"odd").unwrap();
        capture.flush().unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &[6, 0, 0, 0, 64, 0, 0, 0, 1, 2, 3, 4]].concat()).unwrap();
        drop(Capture::open(&path).unwrap());
        let again = std::fs::read(&path).unwrap();
        assert_eq!(again[..whole.len()], whole);
        assert_eq!(again[whole.len()..], whole[..again.len() - whole.len()]);
        std::fs::write(&path, b"a letter to my mother").unwrap();
        assert!(Capture::open(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"a letter to my mother");
    }
}
