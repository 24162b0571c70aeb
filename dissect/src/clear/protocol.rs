//! The protocols that are recognised, and what their content is to a person who reads it.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a flow lets be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Nature {
    /// Content that anybody on the way can read.
    Readable,
    /// Content that looks sealed.
    Opaque,
    /// Neither was shown.
    Unknown,
}

/// One line a protocol: its name, and the word that its rule ends with.
macro_rules! protocols {
    ($($variant:ident, $name:literal, $word:literal;)*) => {
        /// A protocol that carries what people say, or what seals it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Protocol {
            $(#[doc = $name] $variant,)*
        }

        impl Protocol {
            /// The name people know it by.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The rule of the finding that it is readable.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$variant => concat!("clear.", $word),)* }
            }
        }
    };
}

protocols! {
    Irc, "IRC", "irc";
    Xmpp, "XMPP", "xmpp";
    Http, "HTTP", "http";
    Http2, "HTTP/2 without TLS", "http2";
    WebSocket, "WebSocket", "websocket";
    Ftp, "FTP", "ftp";
    Smtp, "SMTP", "smtp";
    Pop3, "POP3", "pop3";
    Imap, "IMAP", "imap";
    Telnet, "Telnet", "telnet";
    Sip, "SIP", "sip";
    Rtsp, "RTSP", "rtsp";
    Rtp, "RTP", "rtp";
    Mqtt, "MQTT", "mqtt";
    Dns, "DNS", "dns";
    NetBios, "NetBIOS name service", "netbios";
    Dhcp, "DHCP", "dhcp";
    Snmp, "SNMP", "snmp";
    Ldap, "LDAP", "ldap";
    MySql, "MySQL", "mysql";
    PostgreSql, "PostgreSQL", "postgresql";
    Redis, "Redis", "redis";
    Memcached, "memcached", "memcached";
    Syslog, "syslog", "syslog";
    Stun, "STUN", "stun";
    Tls, "TLS", "tls";
    Dtls, "DTLS", "dtls";
    Quic, "QUIC", "quic";
    Ssh, "SSH", "ssh";
    WireGuard, "WireGuard", "wireguard";
    Other, "unknown protocol", "text";
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What kind of secret was readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretKind {
    /// A password or passphrase.
    Password,
    /// What proves a password without showing it, open to guessing: a digest or challenge response.
    Proof,
    /// A bearer token, an API key, a session id.
    Token,
    /// A cookie, with its name.
    Cookie,
    /// An SNMP community.
    Community,
    /// The name of an account.
    User,
    /// What somebody said or a page held.
    Message,
    /// What a program was told to do: a typed command, a database query.
    Command,
    /// A mail address or another address of a person.
    Address,
    /// A name asked for, of a host, topic, room or file.
    Name,
    /// A resource asked for.
    Url,
}

impl SecretKind {
    /// The word for `count` of them.
    #[must_use]
    pub const fn word(self, count: u64) -> &'static str {
        match (self, count == 1) {
            (Self::Password, true) => "password",
            (Self::Password, false) => "passwords",
            (Self::Proof, true) => "proof of a password",
            (Self::Proof, false) => "proofs of a password",
            (Self::Token, true) => "token",
            (Self::Token, false) => "tokens",
            (Self::Cookie, true) => "cookie",
            (Self::Cookie, false) => "cookies",
            (Self::Community, true) => "community",
            (Self::Community, false) => "communities",
            (Self::User, true) => "user name",
            (Self::User, false) => "user names",
            (Self::Message, true) => "text",
            (Self::Message, false) => "texts",
            (Self::Command, true) => "command",
            (Self::Command, false) => "commands",
            (Self::Address, true) => "address of a person",
            (Self::Address, false) => "addresses of people",
            (Self::Name, true) => "name",
            (Self::Name, false) => "names",
            (Self::Url, true) => "URL",
            (Self::Url, false) => "URLs",
        }
    }
}
