//! A capture that `node` wrote, taken apart without `dissect`: what is judged must not be made by the judge.

use std::net::{Ipv4Addr, SocketAddrV4};

/// Block type of an Enhanced Packet Block.
const ENHANCED_PACKET: u32 = 6;
/// From the start of such a block to the packet: type, length, interface, time, two lengths.
const PACKET_AT: usize = 28;
/// IPv4 and UDP headers.
const HEADER_BYTES: usize = 28;

/// One datagram.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    time_ns: u64,
    /// Sender.
    pub(crate) from: SocketAddrV4,
    /// Receiver.
    pub(crate) to: SocketAddrV4,
    /// What it carries.
    pub(crate) payload: Vec<u8>,
}

/// All datagrams of a capture, in order.
#[derive(Clone, Debug)]
pub(crate) struct Tape(pub(crate) Vec<Datagram>);

impl Tape {
    /// Reads a pcapng file of raw IPv4, little-endian and in nanoseconds, as `node` writes it.
    pub(crate) fn read(file: &[u8]) -> Self {
        let (mut datagrams, mut at) = (Vec::new(), 0);
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        while at < file.len() {
            let block_bytes = word(at + 4) as usize;
            if word(at) == ENHANCED_PACKET {
                let time_ns = u64::from(word(at + 12)) << 32 | u64::from(word(at + 16));
                let packet = &file[at + PACKET_AT..at + PACKET_AT + word(at + 20) as usize];
                datagrams.push(Datagram::read(time_ns, packet));
            }
            at += block_bytes;
        }
        Self(datagrams)
    }

    /// The datagrams as a classic capture of raw IPv4, with new lengths and without checksums.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        let header = [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65_535, 101];
        let mut file: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        for datagram in &self.0 {
            datagram.write(&mut file);
        }
        file
    }
}

impl Datagram {
    fn read(time_ns: u64, packet: &[u8]) -> Self {
        assert_eq!((packet[0], packet[9]), (0x45, 17), "UDP over IPv4 without options");
        let end = |ip: usize, port: usize| {
            let octets: [u8; 4] = packet[ip..ip + 4].try_into().unwrap();
            SocketAddrV4::new(Ipv4Addr::from(octets), u16::from_be_bytes([packet[port], packet[port + 1]]))
        };
        Self { time_ns, from: end(12, 20), to: end(16, 22), payload: packet[HEADER_BYTES..].to_vec() }
    }

    fn write(&self, file: &mut Vec<u8>) {
        let ip_bytes = u16::try_from(HEADER_BYTES + self.payload.len()).unwrap();
        let [seconds, nanos] = [self.time_ns / 1_000_000_000, self.time_ns % 1_000_000_000];
        for word in [seconds, nanos, u64::from(ip_bytes), u64::from(ip_bytes)] {
            file.extend(u32::try_from(word).unwrap().to_be_bytes());
        }
        file.extend([0x45, 0]);
        file.extend(ip_bytes.to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        file.extend(self.from.ip().octets());
        file.extend(self.to.ip().octets());
        for field in [self.from.port(), self.to.port(), ip_bytes - 20, 0] {
            file.extend(field.to_be_bytes());
        }
        file.extend(&self.payload);
    }
}
