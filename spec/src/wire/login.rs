//! Control messages about devices and passwords, and the entries they lead to (PROTOCOL.md, Accounts).

use super::reader::{DecodeError, DecodeErrorKind, Reader};
use super::varint;
use crate::limits::KEY_BYTES;
use alloc::vec::Vec;

/// Bit 1 of the flags of HELLO: the name has an account, and the client is to become a device of it.
pub const FLAG_ENROL: u64 = 2;

/// Message types.
pub mod kind {
    /// A device asks to be approved.
    pub const ENROL: u64 = 0x20;
    /// Which devices there are.
    pub const DEVICES: u64 = 0x21;
    /// A device is approved.
    pub const APPROVE: u64 = 0x22;
    /// A device is to get in no more.
    pub const REVOKE: u64 = 0x23;
    /// A password is to be set: the first message of an OPAQUE registration.
    pub const PASSWORD: u64 = 0x24;
    /// The last message of an OPAQUE registration.
    pub const RECORD: u64 = 0x25;
    /// A password is to be proved: the first message of an OPAQUE login.
    pub const LOGIN: u64 = 0x26;
    /// The last message of an OPAQUE login.
    pub const PROOF: u64 = 0x27;
    /// The devices of an account.
    pub const DEVICE_LIST: u64 = 0x60;
    /// What was asked for is done.
    pub const GRANTED: u64 = 0x61;
    /// The hub's message of an OPAQUE registration.
    pub const PASSWORD_ANSWER: u64 = 0x62;
    /// The hub's message of an OPAQUE login.
    pub const LOGIN_ANSWER: u64 = 0x63;
    /// The name or the password is wrong, or it was tried too often.
    pub const LOGIN_REFUSED: u64 = 0x64;

    /// Whether it is one of these.
    pub(in crate::wire) const fn is_login(kind: u64) -> bool {
        matches!(kind, ENROL..=PROOF | DEVICE_LIST..=LOGIN_REFUSED)
    }
}

/// Bytes of the messages of OPAQUE with Ristretto255 and SHA-512 (RFC 9807 section 4.1 and 6.1).
pub mod bytes {
    /// Of the request of a registration.
    pub const REQUEST: usize = 32;
    /// Of the response to it.
    pub const RESPONSE: usize = 64;
    /// Of the record that is stored.
    pub const RECORD: usize = 192;
    /// Of the first message of a login.
    pub const KE1: usize = 96;
    /// Of the second.
    pub const KE2: usize = 320;
    /// Of the third.
    pub const KE3: usize = 64;
}

/// What Argon2id is to spend on a password (RFC 9106 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Stretch {
    /// What a new password is stretched with: the second recommendation of RFC 9106 section 4, in one lane, as a
    /// client has one thread.
    pub const NEW: Self = Self { memory_kib: 65_536, passes: 3, lanes: 1 };

    /// Whether a client works with it: no less than OWASP asks for, and no more than a machine gives.
    #[must_use]
    pub const fn is_sensible(self) -> bool {
        matches!(self.memory_kib, 19_456..=262_144)
            && matches!(self.passes, 2..=16)
            && matches!(self.lanes, 1..=4)
    }

    fn encode(self, out: &mut Vec<u8>) {
        [self.memory_kib, self.passes, self.lanes]
            .iter()
            .for_each(|value| varint::encode(u64::from(*value), out));
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut number = |field| {
            let error = reader.error(field, DecodeErrorKind::OutOfRange);
            u32::try_from(reader.varint(field)?).map_err(|_| error)
        };
        Ok(Self { memory_kib: number("memory")?, passes: number("passes")?, lanes: number("lanes")? })
    }
}

/// A device in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device<'a> {
    /// Its number in the account, from 1 on.
    pub number: u64,
    /// Bit 0: it is revoked; bit 1: it is connected; bit 2: it is the one that asks.
    pub flags: u64,
    /// When it was added, in milliseconds since 1970.
    pub since: u64,
    /// What it is called, or nothing.
    pub name: &'a str,
}

impl Device<'_> {
    /// It gets in no more.
    pub const REVOKED: u64 = 1;
    /// It is connected.
    pub const CONNECTED: u64 = 2;
    /// It is the one that asks.
    pub const OWN: u64 = 4;
}

/// One control message about devices and passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginMessage<'a> {
    /// Client that is no device yet: another one will approve it.
    Enrol {
        /// What it is to be called.
        device: &'a str,
    },
    /// Client: which devices are there?
    Devices,
    /// Client: the device that shows this code is one.
    Approve {
        /// The code.
        code: u64,
    },
    /// Client: this device is none any more.
    Revoke {
        /// Its number.
        number: u64,
    },
    /// Client: a new password.
    Password {
        /// RegistrationRequest.
        request: &'a [u8; bytes::REQUEST],
    },
    /// Client: what is stored of it.
    Record {
        /// What it was stretched with.
        stretch: Stretch,
        /// RegistrationRecord.
        record: &'a [u8; bytes::RECORD],
    },
    /// Client that is no device yet: it knows the password.
    Login {
        /// What it is to be called.
        device: &'a str,
        /// KE1.
        ke1: &'a [u8; bytes::KE1],
    },
    /// Client: it does.
    Proof {
        /// KE3.
        ke3: &'a [u8; bytes::KE3],
    },
    /// Hub: the devices, by number.
    DeviceList(Vec<Device<'a>>),
    /// Hub: what was asked for is committed.
    Granted {
        /// The type of the request.
        request: u64,
    },
    /// Hub: its half of a registration.
    PasswordAnswer {
        /// RegistrationResponse.
        response: &'a [u8; bytes::RESPONSE],
    },
    /// Hub: its half of a login.
    LoginAnswer {
        /// What the password was stretched with.
        stretch: Stretch,
        /// KE2.
        ke2: &'a [u8; bytes::KE2],
    },
    /// Hub: no.
    LoginRefused {
        /// Seconds before another attempt is looked at; 0 when it may be made.
        wait_secs: u64,
    },
}

impl<'a> LoginMessage<'a> {
    /// Its type on the wire.
    #[must_use]
    pub const fn kind(&self) -> u64 {
        match self {
            Self::Enrol { .. } => kind::ENROL,
            Self::Devices => kind::DEVICES,
            Self::Approve { .. } => kind::APPROVE,
            Self::Revoke { .. } => kind::REVOKE,
            Self::Password { .. } => kind::PASSWORD,
            Self::Record { .. } => kind::RECORD,
            Self::Login { .. } => kind::LOGIN,
            Self::Proof { .. } => kind::PROOF,
            Self::DeviceList(_) => kind::DEVICE_LIST,
            Self::Granted { .. } => kind::GRANTED,
            Self::PasswordAnswer { .. } => kind::PASSWORD_ANSWER,
            Self::LoginAnswer { .. } => kind::LOGIN_ANSWER,
            Self::LoginRefused { .. } => kind::LOGIN_REFUSED,
        }
    }

    pub(super) fn encode_body(&self, body: &mut Vec<u8>) {
        varint::encode(self.kind(), body);
        match self {
            Self::Enrol { device } => varint::encode_bytes(device.as_bytes(), body),
            Self::Devices => {}
            Self::Approve { code: number }
            | Self::Revoke { number }
            | Self::Granted { request: number }
            | Self::LoginRefused { wait_secs: number } => varint::encode(*number, body),
            Self::Password { request } => body.extend_from_slice(&request[..]),
            Self::Record { stretch, record } => {
                stretch.encode(body);
                body.extend_from_slice(&record[..]);
            }
            Self::Login { device, ke1 } => {
                varint::encode_bytes(device.as_bytes(), body);
                body.extend_from_slice(&ke1[..]);
            }
            Self::Proof { ke3 } => body.extend_from_slice(&ke3[..]),
            Self::PasswordAnswer { response } => body.extend_from_slice(&response[..]),
            Self::LoginAnswer { stretch, ke2 } => {
                stretch.encode(body);
                body.extend_from_slice(&ke2[..]);
            }
            Self::DeviceList(devices) => {
                varint::encode(devices.len() as u64, body);
                for Device { number, flags, since, name } in devices {
                    [number, flags, since].into_iter().for_each(|value| varint::encode(*value, body));
                    varint::encode_bytes(name.as_bytes(), body);
                }
            }
        }
    }

    pub(super) fn decode_fields(kind: u64, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match kind {
            kind::ENROL => Self::Enrol { device: reader.string("device")? },
            kind::DEVICES => Self::Devices,
            kind::APPROVE => Self::Approve { code: reader.varint("code")? },
            kind::REVOKE => Self::Revoke { number: reader.varint("number")? },
            kind::PASSWORD => Self::Password { request: fixed(reader, "request")? },
            kind::RECORD => {
                Self::Record { stretch: Stretch::decode(reader)?, record: fixed(reader, "record")? }
            }
            kind::LOGIN => Self::Login { device: reader.string("device")?, ke1: fixed(reader, "ke1")? },
            kind::PROOF => Self::Proof { ke3: fixed(reader, "ke3")? },
            kind::DEVICE_LIST => Self::DeviceList(decode_devices(reader)?),
            kind::GRANTED => Self::Granted { request: reader.varint("request")? },
            kind::PASSWORD_ANSWER => Self::PasswordAnswer { response: fixed(reader, "response")? },
            kind::LOGIN_ANSWER => {
                Self::LoginAnswer { stretch: Stretch::decode(reader)?, ke2: fixed(reader, "ke2")? }
            }
            _ => Self::LoginRefused { wait_secs: reader.varint("wait")? },
        })
    }
}

fn fixed<'a, const N: usize>(
    reader: &mut Reader<'a>,
    field: &'static str,
) -> Result<&'a [u8; N], DecodeError> {
    let error = reader.error(field, DecodeErrorKind::Truncated);
    reader.take(N, field)?.try_into().map_err(|_| error)
}

fn decode_devices<'a>(reader: &mut Reader<'a>) -> Result<Vec<Device<'a>>, DecodeError> {
    let count = reader.varint("device count")?;
    let mut device = |_| {
        let (number, flags) = (reader.varint("number")?, reader.varint("flags")?);
        Ok(Device { number, flags, since: reader.varint("since")?, name: reader.string("device")? })
    };
    (0..count).map(&mut device).collect()
}

/// What becomes of a device: the body of a DEVICE entry, whose name is the device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceEntry {
    /// Number of the account.
    pub account: u64,
    /// Whether it gets in, or does no more.
    pub is_revoked: bool,
    /// Its static key.
    pub key: [u8; KEY_BYTES],
}

impl DeviceEntry {
    /// The body.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        varint::encode(self.account, &mut body);
        varint::encode(if self.is_revoked { 2 } else { 1 }, &mut body);
        body.extend_from_slice(&self.key);
        body
    }

    /// Reads a body.
    ///
    /// # Errors
    /// The first field that does not decode, or a state this version does not know.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let account = reader.varint("account")?;
        let error = reader.error("state", DecodeErrorKind::OutOfRange);
        let is_revoked = match reader.varint("state")? {
            1 => false,
            2 => true,
            _ => return Err(error),
        };
        Ok(Self { account, is_revoked, key: reader.array("key")? })
    }
}

/// What is kept of a password: the body of a PASSWORD entry, whose name is the one it proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordEntry {
    /// Number of the account.
    pub account: u64,
    /// What it was stretched with.
    pub stretch: Stretch,
    /// RegistrationRecord of OPAQUE: nothing that would open anything by itself.
    pub record: [u8; bytes::RECORD],
}

impl PasswordEntry {
    /// The body.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        varint::encode(self.account, &mut body);
        self.stretch.encode(&mut body);
        body.extend_from_slice(&self.record);
        body
    }

    /// Reads a body.
    ///
    /// # Errors
    /// The first field that does not decode.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let account = reader.varint("account")?;
        let stretch = Stretch::decode(&mut reader)?;
        Ok(Self { account, stretch, record: reader.array("record")? })
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test that is wrong may panic")]
mod tests {
    use super::super::message::Message;
    use super::*;
    use alloc::vec;

    #[test]
    fn every_message_there_and_back() {
        let device = Device { number: 2, flags: Device::CONNECTED, since: 1_790_000_000_000, name: "laptop" };
        let stretch = Stretch::NEW;
        for message in [
            LoginMessage::Enrol { device: "laptop" },
            LoginMessage::Devices,
            LoginMessage::Approve { code: (1 << 33) - 1 },
            LoginMessage::Revoke { number: 2 },
            LoginMessage::Password { request: &[1; 32] },
            LoginMessage::Record { stretch, record: &[2; 192] },
            LoginMessage::Login { device: "", ke1: &[3; 96] },
            LoginMessage::Proof { ke3: &[4; 64] },
            LoginMessage::DeviceList(vec![device, Device { number: 3, ..device }]),
            LoginMessage::Granted { request: kind::APPROVE },
            LoginMessage::PasswordAnswer { response: &[5; 64] },
            LoginMessage::LoginAnswer { stretch, ke2: &[6; 320] },
            LoginMessage::LoginRefused { wait_secs: 900 },
        ] {
            let message = Message::Login(message);
            let mut stream = Vec::new();
            message.encode(&mut stream);
            assert_eq!(Message::split(&stream[..stream.len() - 1]), Ok(None));
            assert_eq!(Message::split(&stream), Ok(Some((message, stream.len()))));
        }
    }

    #[test]
    fn entries_there_and_back() {
        for is_revoked in [false, true] {
            let entry = DeviceEntry { account: 300, is_revoked, key: [7; 32] };
            assert_eq!(DeviceEntry::read(&entry.body()), Ok(entry));
        }
        let entry = PasswordEntry { account: 2, stretch: Stretch::NEW, record: [8; 192] };
        assert_eq!(PasswordEntry::read(&entry.body()), Ok(entry));
        assert!(PasswordEntry::read(&entry.body()[..190]).is_err());
        assert!(DeviceEntry::read(&[2, 3]).is_err(), "a state of the future");
    }

    #[test]
    fn a_stretch_is_neither_nothing_nor_everything() {
        assert!(Stretch::NEW.is_sensible());
        for stretch in [
            Stretch { memory_kib: 8, ..Stretch::NEW },
            Stretch { memory_kib: 1 << 24, ..Stretch::NEW },
            Stretch { passes: 1_000_000, ..Stretch::NEW },
            Stretch { lanes: 0, ..Stretch::NEW },
        ] {
            assert!(!stretch.is_sensible(), "{stretch:?}");
        }
    }
}
