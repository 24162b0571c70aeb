//! The protocols that are spoken over a stream, and how their first bytes give them away.

mod dns;
mod ftp;
mod http;
mod http2;
mod imap;
mod irc;
mod ldap;
mod mqtt;
mod pop3;
mod recognise;
mod sip;
mod smtp;
mod sql;
mod ssh;
mod store;
mod syslog;
mod telnet;
mod tls;
mod websocket;
mod xmpp;

pub(super) use http::Http;
pub(super) use recognise::{HEAD_MAX_BYTES, Recognised, recognise};
pub(super) use sip::Sip;

use recognise::Fit;

/// Whether a datagram is a message of SIP or RTSP.
pub(super) fn is_sip(datagram: &[u8]) -> bool {
    sip::fits(datagram, b"") == Fit::Yes
}

/// Whether a datagram is a message of HTTP, as UPnP sends them.
pub(super) fn is_http(datagram: &[u8]) -> bool {
    http::fits(datagram, b"") == Fit::Yes || http::fits(b"", datagram) == Fit::Yes
}
